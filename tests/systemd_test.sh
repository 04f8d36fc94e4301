#!/usr/bin/env bash
# Checks the systemd unit: every directive is known, and its exposure stays at 1.1 of 10 or below,
# which is what a service with network access comes down to. Skipped (77) without systemd-analyze.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
unit=$root/systemd/tilld.service

command -v systemd-analyze >/dev/null || {
  echo "skipped: systemd-analyze is not installed (apt-get install systemd)"
  exit 77
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# verify wants the program to exist; everything else of the unit stays as it is.
sed 's,^ExecStart=/usr/bin/tilld ,ExecStart=/bin/true ,' "$unit" >"$scratch/tilld.service"
grep -q '^ExecStart=/bin/true ' "$scratch/tilld.service" || {
  echo "tilld.service: ExecStart is not /usr/bin/tilld"
  exit 1
}
complaints() {
  systemd-analyze verify --man=no --recursive-errors=no "$scratch/tilld.service" 2>&1 |
    grep -F "$scratch/tilld.service" || true
}
found=$(complaints)
if [ -n "$found" ]; then
  echo "systemd-analyze verify: $found"
  exit 1
fi

# The check of the check: a directive that does not exist is noticed.
printf '[Service]\nNoSuchThing=yes\n' >>"$scratch/tilld.service"
case $(complaints) in
  *NoSuchThing*) ;;
  *)
    echo "systemd-analyze verify does not notice an unknown directive"
    exit 1
    ;;
esac

# The threshold is in tenths.
exposure_is_low() {
  systemd-analyze security --offline=true --threshold=11 --no-pager "$1" >"$scratch/exposure" 2>&1
}
grep -v '^SystemCallFilter=' "$unit" >"$scratch/tilld.service"
if exposure_is_low "$scratch/tilld.service"; then
  echo "systemd-analyze security does not notice a unit without SystemCallFilter"
  exit 1
fi
exposure_is_low "$unit" || {
  grep '✗' "$scratch/exposure" || cat "$scratch/exposure"
  tail -n 1 "$scratch/exposure"
  exit 1
}
tail -n 1 "$scratch/exposure"
