#!/bin/sh
# What the official image's entry point does for compose.yaml: make the server's data once, then start it.
set -eu
data=/var/lib/postgresql/data/pgdata
if [ ! -s "$data/PG_VERSION" ]; then
  initdb --pgdata="$data" --username=postgres --auth=scram-sha-256 --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 \
    --locale=C.UTF-8
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
fi
exec "$@" -D "$data" -c listen_addresses='*'
