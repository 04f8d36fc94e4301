#!/usr/bin/env bash
# Builds and tests this tree on Debian 13 (trixie), in a chroot beside the machine's own system.
#
#   sudo scripts/debian13.sh                    make the chroot if needed, build all, ctest -L unit
#   sudo scripts/debian13.sh unit_base unit_net build and run only these targets and their tests
#
#   --dir DIR      where the chroot is (default /var/tmp/tilld-trixie; about 2 GB)
#   --commit REV   the tree of this commit; else the working tree, without ignored files
#   --label LABEL  the ctest label to run when no targets are named (default unit)
#   --only-chroot  make it, install the packages, stop
#   --shell        a shell in the chroot, in the copied tree
#
# Needs root and debootstrap. Packages come from the mirror that this machine's apt uses, if it has
# trixie, else from deb.debian.org. The chroot is kept: the next run takes what it finds there.
# To remove it: rm -rf its directory (nothing stays mounted in it between runs).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$0")/lib.sh"

suite=trixie
directory=/var/tmp/tilld-trixie
commit=
label=unit
only_chroot=false
shell=false
targets=()

parse_arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --dir) directory=${2:?--dir needs a directory}; shift ;;
      --commit) commit=${2:?--commit needs a revision}; shift ;;
      --label) label=${2:?--label needs a label}; shift ;;
      --only-chroot) only_chroot=true ;;
      --shell) shell=true ;;
      -h | --help) usage; exit 0 ;;
      -*) die "unknown option $1; try --help" ;;
      *) targets+=("$1") ;;
    esac
    shift
  done
}

# The archives that this machine's apt takes Debian itself from, one URL per line.
own_mirrors() {
  # shellcheck disable=SC2016  # apt's own variables
  apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    sed -n 's/^Debian //p' | sort -u
  # Before the first apt-get update nothing has an origin; the sources still have their URLs.
  sed -n -E 's/^(URIs: |deb )(\[[^]]*\] )?(https?:[^ ]+).*/\3/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list \
    2>/dev/null || true
}

# Whether an archive has the suite. apt's own helper, so that apt's proxy settings count.
has_suite() {
  local file found=1
  file=$(mktemp -d)
  /usr/lib/apt/apt-helper download-file "$1/dists/$suite/InRelease" "$file/InRelease" \
    >/dev/null 2>&1 && grep -q -E "^(Codename|Suite): $suite" "$file/InRelease" && found=0
  rm -rf "$file"
  return $found
}

find_mirror() {
  local url
  while IFS= read -r url; do
    case $url in *security*) continue ;; esac
    if has_suite "$url"; then
      printf '%s' "$url"
      return 0
    fi
  done < <({ own_mirrors; echo http://deb.debian.org/debian; } | sed 's,/*$,,' | awk '!seen[$0]++')
  return 1
}

# debootstrap reads proxies from the environment only, apt from its configuration.
take_proxy_of_apt() {
  local value
  for protocol in http https; do
    value=$(apt-config dump --format '%v%n' "Acquire::$protocol::Proxy" | head -n 1)
    case $value in '' | DIRECT) ;; *) export "${protocol}_proxy=$value" ;; esac
  done
}

make_chroot() {
  [ -e "$directory/.complete" ] && return 0
  [ ! -e "$directory" ] || [ -z "$(ls -A "$directory")" ] || [ -e "$directory/.begun" ] ||
    die "$directory exists and is not one of our chroots; name another with --dir"
  install_packages debootstrap
  local mirror
  mirror=$(find_mirror) ||
    die "neither this machine's apt mirrors nor deb.debian.org have $suite; try apt-get update"
  say "Making a Debian 13 chroot in $directory from $mirror"
  rm -rf "$directory"
  mkdir -p "$directory"
  touch "$directory/.begun"
  take_proxy_of_apt
  quietly debootstrap --variant=minbase --merged-usr "$suite" "$directory" "$mirror" ||
    die "debootstrap failed: see above"
  copy_apt_settings "$mirror"
  touch "$directory/.complete"
}

copy_apt_settings() {
  printf 'deb %s %s main\n' "$1" "$suite" >"$directory/etc/apt/sources.list"
  cp /etc/apt/apt.conf.d/* "$directory/etc/apt/apt.conf.d/"
  [ ! -e /etc/apt/apt.conf ] || cp /etc/apt/apt.conf "$directory/etc/apt/"
  # Hooks of this machine's own packages call programs that the chroot does not have.
  grep -l -E '(Pre|Post)-(Invoke|Install)|Pre-Install-Pkgs' "$directory"/etc/apt/apt.conf.d/* |
    xargs -r rm -f
}

# Runs a command in the chroot, with /proc, /dev and /sys of a mount namespace of its own, so that
# nothing stays mounted whatever happens.
inside() {
  # shellcheck disable=SC2016
  unshare --mount --fork -- bash -euo pipefail -c '
    root=$1; shift
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
    grep -q "[[:space:]]$(hostname)\$" "$root/etc/hosts" 2>/dev/null ||
      cp /etc/hosts "$root/etc/hosts"
    exec chroot "$root" env -i HOME=/root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
      PATH=/usr/sbin:/usr/bin:/sbin:/bin CCACHE_DIR=/var/cache/ccache "$@"
  ' inside "$directory" "$@"
}

install_inside() {
  local -a missing
  # dpkg-query knows how to look at another root.
  # shellcheck disable=SC2046
  mapfile -t missing < <(packages_missing "$directory" $(package_names "$directory"))
  [ ${#missing[@]} -gt 0 ] || return 0
  say "Installing in the chroot: ${missing[*]}"
  quietly inside apt-get update -q || die "apt-get update failed in the chroot: see above"
  quietly inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends "${missing[@]}" || die "apt-get install failed in the chroot: see above"
}

# The source goes to /tilld, the build to /build, so that a fresh copy keeps what is compiled:
# times of files are kept, and only what changed is compiled again.
copy_tree() {
  local tree=$directory/tilld
  rm -rf "$tree"
  mkdir -p "$tree"
  cd "$tilld_root"
  if [ -n "$commit" ]; then
    git -c safe.directory='*' archive "$commit" | tar -x -C "$tree"
  else
    git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
      while IFS= read -r -d '' file; do
        [ -e "$file" ] && printf '%s\0' "$file"
      done | tar --null -T - -c | tar -x -C "$tree"
  fi
}

build_and_test() {
  local jobs
  jobs=$(build_jobs)
  say "Configuring with $(inside g++ --version | head -n 1)"
  quietly inside cmake -S /tilld -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release ||
    die "cmake failed in the chroot: see above"
  local started=$SECONDS
  # -k 0: all that this compiler refuses, in one go.
  quietly inside ninja -C /build -j "$jobs" -k 0 "${targets[@]}" ||
    die "the build failed in the chroot: see above"
  say "Built in $((SECONDS - started)) s"
  started=$SECONDS
  if [ ${#targets[@]} -gt 0 ]; then
    local pattern
    pattern="^($(IFS='|' && printf '%s' "${targets[*]}"))\$"
    inside ctest --test-dir /build --output-on-failure --no-tests=error -j 2 -R "$pattern"
  else
    inside ctest --test-dir /build --output-on-failure --no-tests=error -j 2 -L "$label"
  fi
  say "Tested in $((SECONDS - started)) s, on Debian $(cat "$directory/etc/debian_version")"
}

parse_arguments "$@"
[ "$(id -u)" -eq 0 ] || die "chroots need root: sudo scripts/debian13.sh"
make_chroot
install_inside
if $only_chroot; then
  say "The chroot stands in $directory"
  exit 0
fi
copy_tree
if $shell; then
  inside bash -c 'cd /tilld && exec bash -i'
  exit 0
fi
build_and_test
