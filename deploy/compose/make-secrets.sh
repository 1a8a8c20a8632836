#!/bin/sh
# Random passwords and keys for compose.yaml, made once, a file each; every service is given its own alone. The bot's token comes from .env.
# Usage (in the container `secrets`): make-secrets.sh FOLDER ENV-FILE
set -eu
cd "$1"
umask 077

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
# Whole or not at all: a half-written password would be kept.
write() { printf '%s' "$2" >"kept/$1.new" && mv "kept/$1.new" "kept/$1"; }
keep() { [ -s "kept/$1" ] || write "$1" "$2"; }
give() {
  reader="$1"
  shift
  for name; do
    # Only its reader mounts the folder, whatever user that is.
    install -m 444 "kept/$name" "$reader/$name.new" && mv "$reader/$name.new" "$reader/$name"
  done
}

mkdir -p kept api worker bot database storage prometheus grafana
keep database_password "$(random 16)"
keep database_url "postgres://boardsharp:$(cat kept/database_password)@database:5432/boardsharp"
keep s3_key "$(random 10)"
keep s3_secret "$(random 20)"
keep s3_config "{\"identities\":[{\"name\":\"boardsharp\",\"credentials\":[{\"accessKey\":\"$(cat kept/s3_key)\",\"secretKey\":\"$(cat kept/s3_secret)\"}],\"actions\":[\"Admin\",\"Read\",\"Write\",\"List\",\"Tagging\"]}]}"
keep api_key "$(random 24)"
keep grafana_password "$(random 12)"
write bot_token "$(sed -n 's/^ *BOT_TOKEN *= *//p' "$2" | tail -n 1 | tr -d "\"' \r")"

give api database_url s3_key s3_secret api_key
give worker database_url s3_key s3_secret
give bot api_key bot_token
give database database_password
give storage s3_config
give prometheus api_key
give grafana grafana_password
