#!/usr/bin/env bash
# Gets what every other program of the local world runs on: Node (an npm package of the project) and the npm packages.
# Quick when they are there. On Debian, as root, it installs what is missing for that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

wanted=$(cat package.json package-lock.json | sha256sum | cut -d' ' -f1)
stamp=node_modules/.installed-for
if [ -x node_modules/.bin/node ] && [ "$(cat "$stamp" 2> /dev/null)" = "$wanted" ]; then exit 0; fi

cache=${MAAS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/maas-operator}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() { # prints what the command printed when it fails
  if ! "$@" > "$log" 2>&1; then
    tail -30 "$log" >&2
    echo "failed: $*" >&2
    exit 1
  fi
}

debian_packages() {
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "missing here (Debian packages): $*. Install them and run again." >&2
    exit 1
  fi
  echo "..      Debian packages $*"
  quietly apt-get update -qq
  quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

# The npm of Debian cannot read our lock file (its overrides); it can get one that does, and the Node to run it.
recent_npm() {
  local version
  version=$(npm --version 2> /dev/null) || return 1
  [ "${version%%.*}" -ge 10 ]
}
if ! command -v npm > /dev/null; then debian_packages nodejs npm libatomic1; fi
if ! recent_npm; then
  node_version=$(sed -n 's/^ *"node": "\([0-9][0-9.]*\)",*$/\1/p' package.json)
  own=$cache/built/npm-11.19.1-node-$node_version
  if [ ! -x "$own/node_modules/.bin/npm" ]; then
    echo '..      Node and npm'
    quietly npm install --prefix "$own" --no-save --no-audit --no-fund "node@$node_version" npm@11.19.1
  fi
  export PATH=$own/node_modules/.bin:$PATH
  if ! node --version > /dev/null 2>&1; then debian_packages libatomic1; fi
fi

# What is installed may be right although another checkout or another npm put it there.
if [ ! -x node_modules/.bin/node ] || ! npm ls --all > /dev/null 2>&1; then
  echo '..      npm packages'
  quietly npm ci --no-audit --no-fund --loglevel=error
fi
if ! node_modules/.bin/node --version > /dev/null 2>&1; then debian_packages libatomic1; fi
quietly node_modules/.bin/node --version
echo "$wanted" > "$stamp"
