#!/usr/bin/env bash
# Packs Boardsharp, installs the tarball into an empty folder as a user would, and makes a photo readable with it.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

cd "$root"
tarball="$(npm pack --silent --pack-destination "$folder" | tail -n 1)"
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund "./$tarball"
"$root/node_modules/.bin/node" --input-type=module -e "
  import sharp from 'sharp';
  const board = '<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"80\"><rect width=\"120\" height=\"80\" fill=\"#eee\"/><text x=\"9\" y=\"48\" font-size=\"24\">f(x) = 2</text></svg>';
  await sharp(Buffer.from(board)).jpeg().toFile('board.jpg');
"
# The package asks for Node 24; the checkout has one.
export PATH="$root/node_modules/.bin:$PATH"
npx --no-install boardsharp --version
npx --no-install boardsharp upscale board.jpg -o readable.png --json
test -s readable.png
# What the help and the README lead to.
test -s node_modules/boardsharp/.env.example
test -s node_modules/boardsharp/docs/configuration.md
echo "the package $tarball runs"
