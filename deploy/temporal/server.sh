#!/bin/sh
# Starts the server with what it cannot take from compose.yaml: its own address, and a password from a file.
set -eu
POSTGRES_PWD=$(cat /run/secrets/temporal_password)
TEMPORAL_BROADCAST_ADDRESS=$(hostname -i | cut -d' ' -f1)
export POSTGRES_PWD TEMPORAL_BROADCAST_ADDRESS
exec temporal-server start
