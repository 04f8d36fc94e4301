#!/usr/bin/env bash
# Runs clang-tidy over the sources, with the checks of .clang-tidy.
#
#   scripts/tidy.sh [FILES…]    default: all of src/
#
# Takes clang-tidy-19 if there is one, else clang-tidy. Needs a configured build/release for the
# compile commands (made here). Ends with failure if it finds anything.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

case ${1-} in -h | --help) usage; exit 0 ;; esac

tidy=$(command -v clang-tidy-19 || command -v clang-tidy || true)
[ -n "$tidy" ] || die "clang-tidy is missing: apt-get install clang-tidy-19 (or clang-tidy)"

install_build_packages
configure release
cd "$tilld_root"
files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  mapfile -d '' -t files < <(git ls-files -z --cached --others --exclude-standard -- 'src/*.cpp')
fi
# g++'s compile commands have options that clang does not know; its library calls itself deprecated.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(build_jobs)" "$tidy" -p build/release --quiet \
  --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-deprecated-declarations \
  --warnings-as-errors='*'
