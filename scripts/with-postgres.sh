#!/bin/sh
# Runs a command with a throw-away PostgreSQL on loopback, its address in TEST_DATABASE_URL, and removes it afterwards.
# Usage: scripts/with-postgres.sh npm test
set -eu

bin=$(command -v pg_ctl >/dev/null && dirname "$(readlink -f "$(command -v pg_ctl)")" || true)
[ -n "$bin" ] || bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
if [ ! -x "$bin/initdb" ]; then
  echo "with-postgres: PostgreSQL is not installed (Debian: apt-get install postgresql)" >&2
  exit 2
fi

folder=$(mktemp -d)
# PostgreSQL refuses to run as root.
as_user() { "$@"; }
if [ "$(id -u)" = 0 ]; then
  user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  chown "$user" "$folder"
  as_user() { setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"; }
fi
cd_free() { (cd "$folder" && as_user "$@"); }

stop() {
  cd_free "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT TERM

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s' "$password" >"$folder/password"
[ "$(id -u)" != 0 ] || chown "$user" "$folder/password"
cd_free "$bin/initdb" -D "$folder/data" -U boardsharp --auth=scram-sha-256 --pwfile="$folder/password" \
  --encoding=UTF8 --no-sync >/dev/null
started=
for attempt in 1 2 3 4 5; do
  port=$((20000 + ($$ * 7 + attempt * 1009) % 30000))
  # What it holds is thrown away: nothing needs to reach the disk, unless that is what is measured (FSYNC=on).
  if cd_free "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 30 \
    -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c fsync=${FSYNC:-off} -c max_connections=${MAX_CONNECTIONS:-200}" \
    start >/dev/null 2>&1; then
    started=yes
    break
  fi
done
if [ -z "$started" ]; then
  cat "$folder/log" >&2
  exit 1
fi

TEST_DATABASE_URL="postgres://boardsharp:$password@127.0.0.1:$port/postgres" "$@"
