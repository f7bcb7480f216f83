#!/usr/bin/env bash
# Packages of Debian for the tests, where the machine lacks them. Several processes may ask at once.
#
#   debian.sh install PACKAGE…        install them; for root, or with sudo that asks for no password
#   debian.sh unpack PACKAGE FOLDER   unpack one, with those that it needs and that are missing, into a folder that this
#                                     makes; FOLDER/programs holds its commands. Nothing is installed, no service starts.
set -euo pipefail

fail() {
  echo "debian.sh: $*" >&2
  exit 1
}

# Says how to become root, as words of a command; fails where that cannot be.
as_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  sudo -n true 2>/dev/null && echo sudo -n
}

# apt refuses to fetch its lists while another process does, so each waits here for its turn.
fetch_lists() {
  local root
  root=$(as_root) || fail "the lists of packages are missing or too old, and only root can fetch them"
  $root flock /var/lib/apt apt-get -qq update >&2
}

# with_lists <command…>: lists that are missing or too old name no file, or one that is no longer there.
with_lists() {
  command -v apt-get >/dev/null || fail "there is no apt-get on this machine"
  "$@" || { fetch_lists && "$@"; }
}

install_packages() {
  local root
  root=$(as_root) || fail "missing packages; run this once as root: test/servers/debian.sh install $*"
  with_lists $root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=-1 \
    install -y --no-install-recommends "$@" >&2 || fail "cannot be installed: $*"
}

# Into the working folder, without a change to the machine.
download() {
  local changes
  changes=$(apt-get -qq --simulate --no-install-recommends install "$1") || return
  # shellcheck disable=SC2046
  apt-get -qq download $({ echo "$1"; sed -n 's/^Inst \([^ ]*\) .*/\1/p' <<<"$changes"; } | sort -u) >&2
}

unpack() {
  local package=$1 folder=$2 libraries file
  mkdir -p "$(dirname "$folder")"
  work=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  with_lists download "$package" || fail "cannot be downloaded: $package"
  for file in *.deb; do dpkg -x "$file" .; done
  rm -- *.deb
  libraries=$(find . -name '*.so*' -printf "$folder/%P\n" | sed 's|/[^/]*$||' | sort -u | paste -sd:)
  mkdir programs
  for file in {usr/,}{bin,sbin}/*; do
    [ -x "$file" ] || continue
    printf '#!/bin/sh\nLD_LIBRARY_PATH="%s" exec "%s" "$@"\n' "$libraries" "$folder/$file" >"programs/${file##*/}"
    chmod +x "programs/${file##*/}"
  done
  # Where another process was faster, its folder stays.
  mv -T "$work" "$folder" 2>/dev/null || [ -d "$folder/programs" ] || fail "cannot be moved to $folder: $package"
}

case "${1:-}" in
  install) shift && install_packages "$@" ;;
  unpack)
    [ $# -eq 3 ] || fail "usage: debian.sh unpack PACKAGE FOLDER"
    unpack "$2" "$3"
    ;;
  *) fail "usage: debian.sh install PACKAGE… | unpack PACKAGE FOLDER" ;;
esac
