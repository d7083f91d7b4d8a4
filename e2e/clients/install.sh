#!/bin/sh
# Installs the official SDKs that the end-to-end suite drives: Python's into a
# virtual environment (the first argument, .tmp/venv unless given), Node's into
# clients/node/node_modules, with a Node of its own where the machine's is too
# old for it. Does nothing when both are current.
set -eu

clients=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$clients/../../.tmp/venv}

# current STAMP FILE: was FILE what it is now when STAMP was written?
current() {
	[ -f "$1" ] && [ "$(cat "$1")" = "$(cksum <"$2")" ]
}

requirements=$clients/python/requirements.txt
if ! current "$venv/.switchyard-e2e" "$requirements"; then
	[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
	cksum <"$requirements" >"$venv/.switchyard-e2e"
fi

lock=$clients/node/package-lock.json
if ! current "$clients/node/node_modules/.switchyard-e2e" "$lock"; then
	npm ci --prefix "$clients/node" --no-audit --no-fund --loglevel=error
	cksum <"$lock" >"$clients/node/node_modules/.switchyard-e2e"
fi
