# shellcheck shell=bash
# What the scripts share. Sourced, not run; the script that sources it has set -euo pipefail.

export LC_ALL=C.UTF-8  # numbers with a point, messages that can be searched for
tilld_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "$(basename "$0"): $*"
  exit 1
}

# The comment at the head of the calling script, which is its manual.
usage() { sed -n '2,${/^#/!q; s/^# \{0,1\}//p}' "$0"; }

# Runs a command as root, with sudo when we are not.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# package_names ROOT: the names of packages.txt, one per line, without those whose command is there
# from elsewhere, in the system below ROOT.
package_names() {
  local name unless root=${1%/}
  while read -r name unless; do
    [ -n "$name" ] || continue
    unless=${unless#unless:}
    if [ -n "$unless" ] && [ -n "$root" ]; then
      [ ! -x "$root/usr/bin/$unless" ] || continue
    elif [ -n "$unless" ]; then
      ! command -v "$unless" >/dev/null || continue
    fi
    printf '%s\n' "$name"
  done < <(sed -e 's/#.*//' "$tilld_root/scripts/packages.txt")
}

# packages_missing ROOT NAMES…: those that are not installed in the system below ROOT.
packages_missing() {
  local root=${1%/} name status
  shift
  for name in "$@"; do
    status=$(dpkg-query --admindir "$root/var/lib/dpkg" -W -f '${db:Status-Status}' "$name" \
      2>/dev/null || true)
    [ "$status" = installed ] || printf '%s\n' "$name"
  done
}

# Installs what is missing of packages.txt.
install_build_packages() {
  local -a names
  mapfile -t names < <(package_names /)
  install_packages "${names[@]}"
}

# install_packages NAMES…: installs what is missing of them; says nothing when nothing is.
install_packages() {
  local -a missing
  command -v dpkg-query >/dev/null || die "this is not a Debian system: dpkg-query is missing.
Install by hand what scripts/packages.txt names, then build with cmake --preset release."
  mapfile -t missing < <(packages_missing / "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    die "these packages are missing, and neither root nor sudo is at hand:
  ${missing[*]}
Run this as root:  apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  # The lists may be absent or old; only then is an update worth its time.
  if ! apt_get install -y --no-install-recommends "${missing[@]}" 2>/dev/null; then
    say "Refreshing the package lists (apt-get update)"
    apt_get update || die "apt-get update failed: see above"
    apt_get install -y --no-install-recommends "${missing[@]}" ||
      die "apt-get could not install: ${missing[*]}"
  fi
}

# apt-get, which speaks (on standard error) only when it fails.
apt_get() {
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Use-Pty=0 \
    -o Acquire::Retries=3 "$@"
}

# quietly COMMAND…: its output only if it fails, on standard error.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || cat "$log" >&2
  rm -f "$log"
  return "$status"
}

# One job per core, but no more than there is memory for: g++ takes about 1 GB on the largest files.
build_jobs() {
  local cores memory_gb
  cores=$(nproc)
  memory_gb=$(awk '/^MemAvailable:/ {print int($2 / 1048576)}' /proc/meminfo)
  [ "$memory_gb" -ge 1 ] || memory_gb=1
  printf '%s' $((memory_gb < cores ? memory_gb : cores))
}

# configure PRESET: also when nothing has changed, as that takes a second or two.
configure() {
  (cd "$tilld_root" && quietly cmake --preset "$1") || die "cmake --preset $1 failed: see above"
}

# build PRESET TARGET: with ninja's counter when somebody watches, else silent unless it fails.
build() {
  local command=(cmake --build "$tilld_root/build/$1" --target "$2" --parallel "$(build_jobs)")
  if [ -t 1 ]; then
    "${command[@]}" || die "the build failed: see above"
  else
    quietly "${command[@]}" || die "the build failed: see above"
  fi
}

# seconds SINCE: what has passed since a value of $EPOCHREALTIME, like "12.3".
seconds() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN {printf "%.1f", to - from}'; }
