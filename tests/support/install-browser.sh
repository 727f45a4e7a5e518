#!/bin/sh
# Make sure that there is a Chromium for the browser tests: the machine's own, or Debian's, or Playwright's.
# Usage: install-browser.sh PYTHON
set -eu
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1; then as_root="sudo -n"; else as_root=false; fi
    fi
    echo "installing Chromium for the browser tests"
    if $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq chromium; then
        exit 0
    fi
    echo "apt could not install Chromium; trying Playwright's own" >&2
fi
exec "$1" -m playwright install chromium
