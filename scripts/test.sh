#!/usr/bin/env bash
# Builds everything and runs the tests.
#
#   scripts/test.sh [--unit] [--preset release|dev|asan|tsan] [-- ctest options]
#
#   --unit         only the quick ones (ctest label unit)
#   --preset NAME  asan: Address- and UndefinedBehaviorSanitizer; tsan: ThreadSanitizer;
#                  dev: no optimisation, warnings are errors. Default: release
#
# Installs the Debian packages that are missing (scripts/packages.txt) and builds into
# build/PRESET. The whole output of ctest is in build/PRESET/test.log.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

preset=release
ctest_options=()

while [ $# -gt 0 ]; do
  case $1 in
    --unit) ctest_options+=(-L '^unit$') ;;
    --preset)
      preset=${2-}
      shift || true
      [[ $preset =~ ^(release|dev|asan|tsan)$ ]] ||
        die "--preset takes release, dev, asan or tsan"
      ;;
    -h | --help) usage; exit 0 ;;
    --) shift; ctest_options+=("$@"); break ;;
    *) die "unknown option $1; try --help" ;;
  esac
  shift
done

# What a sanitizer finds must fail the test, and say where it was.
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}

# g++ 12's ThreadSanitizer cannot place its shadow where new kernels randomise addresses widely.
runner=()
if [ "$preset" = tsan ] && setarch "$(uname -m)" --addr-no-randomize true 2>/dev/null; then
  runner=(setarch "$(uname -m)" --addr-no-randomize)
fi

install_build_packages
started=$EPOCHREALTIME
configure "$preset"
say "Building (preset $preset)"
build "$preset" all
build_seconds=$(seconds "$started")

cd "$tilld_root/build/$preset"
started=$EPOCHREALTIME
status=0
"${runner[@]}" ctest --output-on-failure --no-tests=error --parallel 2 "${ctest_options[@]}" \
  2>&1 | tee test.log || status=$?
test_seconds=$(seconds "$started")

say
say "Build $build_seconds s, tests $test_seconds s (preset $preset)"
if [ "$status" -ne 0 ]; then
  warn "Tests failed; their output is above and in build/$preset/test.log"
fi
exit "$status"
