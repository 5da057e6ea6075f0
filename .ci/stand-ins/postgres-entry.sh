#!/bin/bash
# Starts PostgreSQL as the official image does: the first start makes the user and the database.
set -euo pipefail
export PATH=/opt/postgres/bin:$PATH
data=${PGDATA:-/var/lib/postgresql/data}
user=${POSTGRES_USER:-postgres}
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
mkdir -p "$data"
chown postgres:postgres "$data"
chmod 700 "$data"
if [ ! -s "$data/PG_VERSION" ]; then
    password=/tmp/password
    (umask 077 && printf '%s\n' "${POSTGRES_PASSWORD:?}" >"$password")
    chown postgres:postgres "$password"
    as_postgres initdb --username="$user" --auth=scram-sha-256 --encoding=UTF8 --no-sync \
        --pwfile="$password" -D "$data" >/dev/null
    rm "$password"
    echo "host all all all scram-sha-256" >>"$data/pg_hba.conf"
    echo "CREATE DATABASE \"${POSTGRES_DB:-$user}\";" |
        as_postgres postgres --single -D "$data" postgres >/dev/null
    echo "PostgreSQL init process complete; ready for start up."
fi
exec setpriv --reuid=postgres --regid=postgres --clear-groups \
    postgres -D "$data" -c listen_addresses='*' "$@"
