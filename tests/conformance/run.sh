#!/bin/sh
# Runs the tests of this folder against a server process of their own, on a free port, over a data directory that goes with it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$(mktemp -d)
mkfifo "$data/out"
"$here/../../bin/strandline" serve --addr 127.0.0.1:0 --data "$data" >"$data/out" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$data"' EXIT
exec 3<"$data/out" # stays open: the server may say more
read -r line <&3 || { # what it says first, whenever that is; its end ends the waiting
	echo "the server has ended before it listened" >&2
	exit 1
}
cd "$here"
STRANDLINE_URL=${line#strandline: } node_modules/.bin/vitest run "$@" </dev/null
