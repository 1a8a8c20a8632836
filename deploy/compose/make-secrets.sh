#!/bin/sh
# Writes random passwords and keys for compose.yaml, a file each; what is there already stays. Asks for the bot's token.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
umask 077

random() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -s "secrets/$1" ] || printf '%s' "$2" >"secrets/$1"; }

keep database_password "$(random 16)"
keep database_url "postgres://boardsharp:$(cat secrets/database_password)@database:5432/boardsharp"
keep s3_key "$(random 10)"
keep s3_secret "$(random 20)"
keep s3_config "{\"identities\":[{\"name\":\"boardsharp\",\"credentials\":[{\"accessKey\":\"$(cat secrets/s3_key)\",\"secretKey\":\"$(cat secrets/s3_secret)\"}],\"actions\":[\"Admin\",\"Read\",\"Write\",\"List\",\"Tagging\"]}]}"
keep api_key "$(random 24)"
keep grafana_password "$(random 12)"
if [ ! -s secrets/bot_token ]; then
  printf 'The bot'"'"'s token, from @BotFather: ' >&2
  read -r token
  keep bot_token "$token"
fi
# The containers run as the user 1000, and nobody else reads them.
[ "$(id -u)" != 0 ] || chown -R 1000:1000 secrets
echo "secrets are in $(pwd)/secrets" >&2
