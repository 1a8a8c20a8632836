#!/usr/bin/env bash
# Builds the container image without a Docker engine, with Debian's buildah, and tries every role of it on a real PostgreSQL.
# Where node:24-bookworm-slim cannot be pulled, a stand-in is made by debootstrap and the `node` binary from npm (NODE_IMAGE=stand-in).
# Usage: scripts/build-image.sh        needs root, and Debian's buildah, debootstrap and postgresql
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
image=boardsharp:test
folder="$(mktemp -d /var/tmp/boardsharp-image.XXXXXX)"
storage=(--root "$folder/storage" --runroot "$folder/run" --storage-driver vfs)
buildah_() { buildah "${storage[@]}" "$@"; }
trap 'rm -rf "$folder"' EXIT
cd "$root"

say() { printf '%s\n' "$*"; }

make_stand_in() {
  local base="$folder/base" npm_folder
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$base" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" >"$folder/debootstrap.log" \
    || { tail -n 20 "$folder/debootstrap.log"; exit 1; }
  rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/* "$base"/usr/share/{doc,man,locale}
  install -m 755 node_modules/node/bin/node "$base/usr/local/bin/node"
  npm_folder="$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")"
  mkdir -p "$base/usr/local/lib/node_modules"
  cp -r "$npm_folder" "$base/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$base/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$base/usr/local/bin/npx"
  chroot "$base" useradd --uid 1000 --create-home --shell /bin/bash node
  local container
  container="$(buildah_ from scratch)"
  buildah_ add -q "$container" "$base" / >/dev/null
  # A registry behind a certificate of one's own is reached in the image as it is here.
  if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
    buildah_ add -q "$container" "$NODE_EXTRA_CA_CERTS" /usr/local/share/build-ca.crt >/dev/null
    buildah_ config --env NODE_EXTRA_CA_CERTS=/usr/local/share/build-ca.crt "$container"
  fi
  buildah_ config --cmd node "$container"
  buildah_ commit -q "$container" docker.io/library/node:24-bookworm-slim >/dev/null
  buildah_ rm "$container" >/dev/null
  rm -rf "$base"
}

if [ "${NODE_IMAGE:-stand-in}" = stand-in ]; then
  say "making a stand-in for node:24-bookworm-slim"
  make_stand_in
  pull=--pull-never
else
  pull=--pull
fi
say "building"
buildah_ bud --isolation chroot "$pull" --layers=false -t "$image" . >"$folder/build.log" 2>&1 \
  || { tail -n 40 "$folder/build.log"; exit 1; }

container="$(buildah_ from --pull-never "$image")"
mount="$(buildah_ mount "$container")"
megabytes="$(du -sm --apparent-size "$mount" | cut -f1)"
say "image: $megabytes MB unpacked"
[ "$megabytes" -lt 700 ] || { say "the image is larger than 700 MB"; exit 1; }
if find "$mount/app" \( -name '.env' -o -name '*.pem' -o -name '.npmrc' \) -not -path '*/node_modules/*' | grep .; then
  say "something secret is in the image"; exit 1
fi
[ ! -e "$mount/app/node_modules/typescript" ] || { say "development dependencies are in the image"; exit 1; }

# shellcheck disable=SC2016
exec_in() { buildah_ run --isolation chroot --user 1000:1000 "$@"; }
say "trying every role on PostgreSQL"
BOARDSHARP_STORAGE="${storage[*]}" BOARDSHARP_CONTAINER="$container" bash scripts/with-postgres.sh node_modules/.bin/node scripts/try-image.ts
