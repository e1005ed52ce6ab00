#!/bin/sh
# Gives every service that has a /run/secrets/…_database_url its user and its database, and Temporal its own.
# Where there is an …_owner_database_url too, that user owns the database and the other may only connect to it: what it
# may do with the tables it is granted by `prepare`. A repeat makes what is missing and sets the passwords anew, so it
# runs at every start.
set -eu
PGPASSWORD=$(cat /run/secrets/postgres_password)
export PGPASSWORD

# ensure USER PASSWORD DATABASE...
ensure() {
  user=$1 password=$2
  shift 2
  # Standard input and not an argument: arguments can be read by every process on the machine.
  psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=postgres <<SQL
\\set user '$user'
\\set password '$password'
SELECT format('CREATE ROLE %I', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \\gexec
ALTER ROLE :"user" LOGIN PASSWORD :'password';
SQL
  for database; do
    psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --dbname=postgres --set=user="$user" --set=database="$database" <<'SQL'
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'user')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
-- Each service reads its own database and no other.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"user";
SQL
  done
}

ensure temporal "$(cat /run/secrets/temporal_password)" temporal temporal_visibility
# The owners first: who comes first to a database makes it, and owns it.
for file in /run/secrets/*_owner_database_url /run/secrets/*_database_url; do
  # postgresql://user:password@host:port/database
  url=$(cat "$file")
  credentials=${url#*://}
  credentials=${credentials%%@*}
  ensure "${credentials%%:*}" "${credentials#*:}" "${url##*/}"
done
