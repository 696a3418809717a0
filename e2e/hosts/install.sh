#!/usr/bin/env bash
# Installs the named hosts, pinned by the lock files in npm/, and nothing that is
# already there. A host that cannot be installed is left out and its tests say
# so; with --needed that is an error.
#
#   e2e/hosts/install.sh [--needed] gemini claude-code codex opencode
set -euo pipefail
cd "$(dirname "$0")"
export PATH="$PWD/../npm/node_modules/node/bin:$PATH"

needed=
if [[ ${1:-} == --needed ]]; then
  needed=yes
  shift
fi

# The big ones are also looked at on a terminal.
if [[ -z $needed ]] && ! command -v tmux >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends tmux; } </dev/null || echo "SKIP tests on a terminal: tmux cannot be installed"
fi

# Not npm ci: it wants every optional package of other systems in the lock file,
# and npm leaves those out that it could not get. This takes the versions of the
# lock file, too, and does not write it. Only when that changed since the last time.
install() {
  local stamp=node_modules/.installed
  cmp -s package-lock.json "$stamp" && return
  for _ in 1 2 3; do
    if npm install --no-save --prefer-offline --no-fund --no-audit --loglevel=error </dev/null; then
      cp package-lock.json "$stamp"
      return
    fi
  done
  return 1
}

for host in "$@"; do
  why=npm/$host/not-installed.txt
  if (cd "npm/$host" && install) >"$why" 2>&1; then
    rm -f "$why"
    echo "host $host $(sed -n 's/^    "[^"]*": "\([0-9][^"]*\)",*$/\1/p' "npm/$host/package.json")"
  else
    echo "SKIP $host: npm cannot install it"
    cat "$why"
    [[ -z $needed ]] || exit 1
  fi
done
