#!/bin/sh
# Brings Temporal's two databases to the schema of this version; does nothing when they are there already.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_password)
export SQL_PASSWORD

# schema DATABASE NAME
schema() {
  # A repeat of setup-schema would begin at version 0.0 again.
  temporal-sql-tool --db "$1" update-schema --schema-name "postgresql/v12/$2" ||
    {
      temporal-sql-tool --db "$1" setup-schema --version 0.0
      temporal-sql-tool --db "$1" update-schema --schema-name "postgresql/v12/$2"
    }
}

schema temporal temporal
schema temporal_visibility visibility
