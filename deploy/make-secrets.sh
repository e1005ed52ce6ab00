#!/bin/sh
# Makes what compose.yaml reads its secrets from: a file each in deploy/secrets. One that is there stays as it is, so
# this may run before every start; a service added later gets its own.
set -eu
directory=$(dirname "$0")/secrets
mkdir -p "$directory"
# The directory keeps other users of this machine out. The files themselves are open, because a container sees them with
# their permissions here, and its user is another one.
chmod 700 "$directory"

random() {
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

secret() {
  [ -s "$directory/$1" ] || printf '%s\n' "$2" >"$directory/$1"
  chmod 444 "$directory/$1"
}

for name in gateway_api_key service_token postgres_password temporal_password; do
  secret "$name" "$(random)"
done
# What the acquirer signs its events with: 32 bytes in base64, as Standard Webhooks has it.
secret acquirer_webhook_secret "whsec_$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
for owner in gateway user payment listing analytics; do
  secret "${owner}_database_url" "postgresql://$owner:$(random)@postgres:5432/$owner"
done
# The roles that own the tables; only the jobs that migrate know their passwords.
for service in user payment listing analytics; do
  secret "${service}_owner_database_url" "postgresql://${service}_owner:$(random)@postgres:5432/$service"
done
