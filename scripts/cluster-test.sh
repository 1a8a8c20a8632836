#!/usr/bin/env bash
# Several machines on one: api, bot, three workers, PostgreSQL and an S3 server, each in a network namespace of its own on one bridge, while
# they are cut off, killed, restarted and their disks filled under load. Needs root, Debian's iproute2 and postgresql, and what s3-store.sh needs.
# Usage: scripts/cluster-test.sh [--storage s3|folder] [--cut-seconds 30]
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=bs$$
nodes=(users api bot worker1 worker2 worker3 database storage)
folder="$(mktemp -d /tmp/boardsharp-cluster.XXXXXX)"

cleanup() {
  for node in "${nodes[@]}"; do
    ip netns pids "$prefix-$node" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
  done
  sleep 0.3
  for node in "${nodes[@]}" switch; do ip netns del "$prefix-$node" 2>/dev/null || true; done
  umount "$folder/storage" "$folder/database" 2>/dev/null || true
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ip netns add "$prefix-switch"
ip -n "$prefix-switch" link add bridge type bridge
ip -n "$prefix-switch" link set bridge up
number=1
for node in "${nodes[@]}"; do
  number=$((number + 1))
  ip netns add "$prefix-$node"
  ip -n "$prefix-switch" link add "$node" type veth peer name eth0 netns "$prefix-$node"
  ip -n "$prefix-switch" link set "$node" master bridge up
  ip -n "$prefix-$node" addr add "10.77.1.$number/24" dev eth0
  ip -n "$prefix-$node" link set eth0 up
  ip -n "$prefix-$node" link set lo up
done
# Disks that are filled: small, and nobody else's.
for disk in storage=64m database=256m; do
  mkdir "$folder/${disk%=*}"
  mount -t tmpfs -o "size=${disk#*=},mode=0777" boardsharp "$folder/${disk%=*}"
done
chmod 755 "$folder"

CLUSTER_PREFIX="$prefix" CLUSTER_FOLDER="$folder" \
  ip netns exec "$prefix-users" node_modules/.bin/node scripts/cluster-test.ts "$@"
