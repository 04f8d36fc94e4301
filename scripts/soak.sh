#!/usr/bin/env bash
# The long forms of tests: the same tests as in CI, with more rounds, for a night or a release.
#
#   scripts/soak.sh --list           what there is, and the rounds it takes
#   scripts/soak.sh NAME [ROUNDS]    one of them
#   scripts/soak.sh all              one after another, each with its default
#
# Builds into build/release first. Random choices follow TILLD_SEED or RC_PARAMS where given; a
# failure prints what repeats it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

build_directory=$tilld_root/build/release

# name, default rounds, what a round is
soaks='properties 5000 cases of each property (in CI: 100)
kills 500 times kill -9 at full load (in CI: 10)
years 100 seeds of half a year of subscriptions under every fault (in CI: 5)'

names() { awk '{print $1}' <<<"$soaks"; }
default_rounds() { awk -v name="$1" '$1 == name {print $2}' <<<"$soaks"; }
list() {
  awk '{name = $1; rounds = $2; $1 = $2 = ""; printf "%-12s %6d %s\n", name, rounds, $0}' \
    <<<"$soaks"
}

soak_properties() {
  local program ran=0
  for program in "$build_directory"/tests/unit_* "$build_directory"/tests/property_*; do
    [ -f "$program" ] || continue
    say "  $(basename "$program")"
    RC_PARAMS="${RC_PARAMS-} max_success=$1" TILLD_PROPERTY_FACTOR=$(($1 / 100 + 1)) \
      quietly "$program" || return 1
    ran=$((ran + 1))
  done
  [ "$ran" -gt 0 ] || die "no test programs in $build_directory/tests"
}

soak_kills() {
  python3 "$tilld_root/tests/system/kill_test.py" "$build_directory/tilld" --kills "$1"
}

soak_years() {
  python3 "$tilld_root/tests/system/year_test.py" "$build_directory/tilld" --seeds "$1"
}

run_one() {
  local name=$1 rounds=$2 started=$EPOCHREALTIME
  [[ $rounds =~ ^[1-9][0-9]*$ ]] || die "rounds must be a number, not $rounds"
  say "$name: $rounds rounds"
  "soak_$name" "$rounds" || die "$name failed: see above"
  say "$name: passed in $(seconds "$started") s"
}

case ${1-} in
  '' | -h | --help) usage; exit 0 ;;
  --list) list; exit 0 ;;
esac
[ "$1" = all ] || [ -n "$(default_rounds "$1")" ] || die "unknown soak $1; try --list"

install_build_packages
configure release
build release all
if [ "$1" = all ]; then
  mapfile -t all < <(names)
  for name in "${all[@]}"; do run_one "$name" "$(default_rounds "$name")"; done
else
  run_one "$1" "${2:-$(default_rounds "$1")}"
fi
