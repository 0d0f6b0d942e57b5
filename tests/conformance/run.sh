#!/bin/sh
# Runs the tests of this folder against a server process of their own, on a free port, over a data directory that goes with it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$(mktemp -d)
"$here/../../bin/strandline" serve --addr 127.0.0.1:0 --data "$data" >"$data/out" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
	url=$(sed -n 's/^strandline: \(http[^ ]*\).*/\1/p' "$data/out")
	[ -n "$url" ] && break
	sleep 0.3
done
cd "$here"
STRANDLINE_URL=$url node_modules/.bin/vitest run "$@" </dev/null
