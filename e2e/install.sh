#!/usr/bin/env bash
# Installs what the end-to-end tests run against, and nothing that is already there.
# Debian or Ubuntu, as root; the npm packages are pinned in e2e/npm.
set -euo pipefail
cd "$(dirname "$0")"

debian=(gnome-keyring dbus dbus-x11 libsecret-tools chromium xdg-utils gcc)
command -v node >/dev/null || debian+=(nodejs)
command -v npm >/dev/null || debian+=(npm)

missing=()
for package in "${debian[@]}"; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
done
if ((${#missing[@]})); then
  echo "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
fi

wine/install.sh

# npm ci deletes first, so it runs only when the lock file changed since the last time.
cd npm
stamp=node_modules/.installed
if ! cmp -s package-lock.json "$stamp"; then
  for attempt in 1 2 3; do
    npm ci --no-fund --no-audit --loglevel=error </dev/null && break
    ((attempt < 3)) || exit 1
  done
  cp package-lock.json "$stamp"
fi

node=node_modules/node/bin/node
[[ $("$node" --version) == v22.* ]] || { echo "node 22 is not in $node" >&2; exit 1; }
echo "node $("$node" --version), $(chromium --version 2>/dev/null), gnome-keyring $(dpkg-query -W -f '${Version}' gnome-keyring)"
cd ..
hosts/install.sh --needed gemini
