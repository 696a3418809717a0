#!/usr/bin/env bash
# Installs a Windows for the tests: Debian's Wine with a prefix of its own in the
# user's cache, where it is found by the next clone too. Without it those tests
# say so and are skipped, so a machine that cannot have it fails nothing here.
set -euo pipefail
cd "$(dirname "$0")"

wine=/usr/lib/wine/wine64
prefix=${XDG_CACHE_HOME:-$HOME/.cache}/payu-mcp-e2e/wine

missing=()
for package in wine64 gcc-mingw-w64-x86-64; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } </dev/null; then
    echo "no Wine: ${missing[*]} cannot be installed, the tests that need it will be skipped" >&2
    exit 0
  fi
fi

# The stamp is made last: a prefix without it was left half made.
stamp=$prefix/.made-by-payu-mcp
if ! cmp -s bcryptprimitives.c "$stamp"; then
  rm -rf "$prefix"
  mkdir -p "$prefix"
  # Neither .NET nor a browser engine, which would be asked for over the network.
  export WINEPREFIX=$prefix WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=;winemenubuilder.exe='
  env -u DISPLAY -u WAYLAND_DISPLAY "$wine" wineboot --init </dev/null >/dev/null 2>&1
  x86_64-w64-mingw32-gcc -shared -O2 -o "$prefix/drive_c/windows/system32/bcryptprimitives.dll" bcryptprimitives.c -ladvapi32
  cp bcryptprimitives.c "$stamp"
fi
echo "$("$wine" --version) in $prefix"
