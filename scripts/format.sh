#!/usr/bin/env bash
# Formats the C++ sources with clang-format, as .clang-format says.
#
#   scripts/format.sh [--check]
#
#   --check  changes nothing; names the files that would change, and fails if there are any
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

check=false
case ${1-} in
  '') ;;
  --check) check=true ;;
  -h | --help) usage; exit 0 ;;
  *) die "unknown option $1; try --help" ;;
esac

command -v clang-format >/dev/null || die "clang-format is missing: apt-get install clang-format"
cd "$tilld_root"
mapfile -d '' -t files < <(git ls-files -z --cached --others --exclude-standard -- \
  'src/*.cpp' 'src/*.hpp' 'tests/*.cpp' 'tests/*.hpp' 'bench/*.cpp' 'bench/*.hpp')
if ! $check; then
  clang-format -i "${files[@]}"
  exit 0
fi
# One line per file: clang-format's own warnings show each place.
wrong=$(clang-format --dry-run "${files[@]}" 2>&1 |
  sed -n 's/^\([^:]*\):.*clang-format-violations.*/\1/p' | sort -u)
[ -z "$wrong" ] || die "not formatted as .clang-format says (scripts/format.sh mends it):
$wrong"
