#!/bin/sh
# Installs the SDKs and frameworks that the end-to-end suite drives: Python's into a
# virtual environment (the first argument, .tmp/venv unless given), and into a second
# one beside it what needs an older openai; Node's into clients/node/node_modules, with
# a Node of its own where the machine's is too old for it. All three at once, and none
# that is current.
set -eu

clients=$(cd "$(dirname "$0")" && pwd)
venv=${1:-$clients/../../.tmp/venv}

# current STAMP FILE: was FILE what it is now when STAMP was written?
current() {
	[ -f "$1" ] && [ "$(cat "$1")" = "$(cksum <"$2")" ]
}

# python VENV REQUIREMENTS: the pins are complete, and pip need not resolve anything.
python() {
	stamp=$1/.switchyard-e2e
	if ! current "$stamp" "$2"; then
		[ -x "$1/bin/python" ] || python3 -m venv "$1"
		"$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --requirement "$2"
		cksum <"$2" >"$stamp"
	fi
}

node() {
	lock=$clients/node/package-lock.json
	stamp=$clients/node/node_modules/.switchyard-e2e
	if ! current "$stamp" "$lock"; then
		npm ci --prefix "$clients/node" --no-audit --no-fund --loglevel=error
		cksum <"$lock" >"$stamp"
	fi
}

python "$venv" "$clients/python/requirements.txt" &
first=$!
python "$venv-openai2" "$clients/python/requirements-openai2.txt" &
second=$!
node
wait "$first"
wait "$second"
