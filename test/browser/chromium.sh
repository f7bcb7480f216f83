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
"$(dirname "${BASH_SOURCE[0]}")/../servers/debian.sh" install chromium ||
  fail "no Chromium: install it, and name it in CHROMIUM if it is called something else"
find_chromium || fail "the package chromium is installed, but its command is missing"
