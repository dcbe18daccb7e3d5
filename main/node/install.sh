#!/usr/bin/env bash
# Installs the packages and, at the same time, Node: it has 2,800 files, and alone after the others it took as long again.
# Scripts and editors find it as node_modules/.bin/node. There is none for macOS, where the installed Node runs everything.
set -euo pipefail
cd "$(dirname "$0")/../.."

install() { npm ci --prefer-offline --no-audit --no-fund --loglevel=error "$@"; }

install &
packages=$!
# The other one ends before a failure is told, so that a repeat does not meet it.
install --prefix main/node || { wait "$packages"; exit 1; }
wait "$packages"

node=main/node/node_modules/.bin/node
if [ -x "$node" ]; then ln -sf "../../$node" node_modules/.bin/node; fi
