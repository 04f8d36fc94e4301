#!/usr/bin/env bash
# Builds tilld and runs it with the sandbox: no Stripe account, no network. Ctrl-C ends it.
#
#   scripts/run.sh [options of `tilld serve`]
#
# Installs the Debian packages that are missing (scripts/packages.txt), builds into build/release
# and keeps its data in ./data. For example, on other ports:
#   scripts/run.sh --listen 127.0.0.1:9000 --listen-webhooks 127.0.0.1:9001
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

case ${1-} in -h | --help) usage; exit 0 ;; esac

install_build_packages
configure release
[ -e "$tilld_root/build/release/tilld" ] || say "Building tilld (the first time takes some minutes)"
build release tilld
cd "$tilld_root"
exec build/release/tilld serve --sandbox --data ./data "$@"
