#!/usr/bin/env bash
# An S3 store that keeps what it was given on disk, for tests: OpenStack Swift with one copy of everything, in one folder, in the foreground.
# What it holds survives its end, however that comes: start it again on the same folder. The key is test:tester, its secret testing.
# Usage: scripts/s3-store.sh FOLDER HOST PORT   (Debian: apt-get install swift-proxy swift-account swift-container swift-object)
set -euo pipefail
folder="$1" host="$2" port="$3"
user="$(id -un)"
[ "$user" != root ] || user=swift
# The parts speak to each other on an address of loopback that is this store's own.
inner="127.9.$((port / 256)).$((port % 256))"

mkdir -p "$folder/conf" "$folder/disks/one"
conf="$folder/conf"
cat >"$conf/swift.conf" <<END
[swift-hash]
swift_hash_path_prefix = boardsharp
swift_hash_path_suffix = boardsharp
END
# Once: which part answers for what. One copy, on one disk.
[ -e "$conf/object.ring.gz" ] || /usr/bin/python3 - "$conf" "$inner" <<'END'
import sys
from swift.common.ring import RingBuilder
folder, address = sys.argv[1:]
for name, port in (("account", 6202), ("container", 6201), ("object", 6200)):
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": address, "port": port, "device": "one", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(f"{folder}/{name}.ring.gz")
END
part() {
  cat >"$conf/$1.conf" <<END
[DEFAULT]
bind_ip = $inner
bind_port = $2
workers = 0
user = $user
swift_dir = $conf
devices = $folder/disks
mount_check = false
fallocate_reserve = 1048576
[pipeline:main]
pipeline = $1-server
[app:$1-server]
use = egg:swift#$1
END
}
part account 6202
part container 6201
part object 6200
cat >"$conf/proxy.conf" <<END
[DEFAULT]
bind_ip = $host
bind_port = $port
workers = 0
user = $user
swift_dir = $conf
[pipeline:main]
pipeline = catch_errors cache s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
# Nothing is remembered between requests, so that nothing remembered can be wrong after a fault.
use = egg:swift#memcache
memcache_servers = $inner:1
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
min_segment_size = 5242880
[filter:slo]
use = egg:swift#slo
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
END
[ "$user" = "$(id -un)" ] || chown -R "$user" "$folder/disks" "$conf"

# What ends takes the others along: whoever watches this process starts all of them again.
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
trap 'exit 143' INT TERM
for server in account container object proxy; do "swift-$server-server" "$conf/$server.conf" & done
wait -n
exit 1
