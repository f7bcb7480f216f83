#!/usr/bin/env bash
# Installs Chromium for the browser tests where it is missing: Debian's package. Prints where it is.
#
# CHROMIUM names another Chromium or Chrome to use.
set -euo pipefail

fail() {
  echo "chromium.sh: $*" >&2
  exit 1
}

find_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name"; then return 0; fi
  done
  return 1
}

find_chromium && exit
[ -z "${CHROMIUM:-}" ] || fail "CHROMIUM names $CHROMIUM, and no such program is there"
command -v apt-get >/dev/null || fail "no Chromium, and no apt-get to install it: install it and name it in CHROMIUM"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2>/dev/null || fail "no Chromium; run this once as root: test/browser/chromium.sh"
  as_root=(sudo -n)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
"${apt[@]}" update >&2 || fail "apt-get update failed"
"${apt[@]}" install -y --no-install-recommends chromium >&2 || fail "the package chromium could not be installed"
find_chromium || fail "the package chromium is installed, but its command is missing"
