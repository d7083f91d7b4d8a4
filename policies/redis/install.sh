#!/bin/sh
# Installs redis-server, which the unit tests run. Quick when it is there.
set -eu
if command -v redis-server >/dev/null 2>&1; then exit 0; fi
echo "Installing redis-server ..." >&2
sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
# Without the service: a test starts its own.
$sudo apt-get install -qqy --no-install-recommends redis-server >/dev/null
