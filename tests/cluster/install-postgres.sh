#!/bin/sh
# Make sure that there is a PostgreSQL for the tests: the machine's own, or Debian's. Without one they are skipped.
set -eu
for bin in /usr/lib/postgresql/*/bin; do
    if [ -x "$bin/pg_ctl" ]; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then
    as_root=
    if [ "$(id -u)" != 0 ]; then
        if command -v sudo >/dev/null 2>&1; then as_root="sudo -n"; else as_root=false; fi
    fi
    echo "installing PostgreSQL for its tests"
    if $as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends postgresql; then
        exit 0
    fi
fi
echo "PostgreSQL is not installed; its tests are skipped" >&2
