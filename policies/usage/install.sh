#!/bin/sh
# Installs PostgreSQL's server, which the unit tests run. Quick when it is there.
set -eu
for postgres in /usr/lib/postgresql/*/bin/postgres "$(command -v postgres || true)"; do
	if [ -x "$postgres" ]; then exit 0; fi
done
echo "Installing postgresql ..." >&2
sudo=""; [ "$(id -u)" = 0 ] || sudo=sudo
$sudo apt-get update -qq
# A test makes and starts clusters of its own.
$sudo apt-get install -qqy --no-install-recommends postgresql-common >/dev/null
$sudo sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
$sudo apt-get install -qqy --no-install-recommends postgresql >/dev/null
