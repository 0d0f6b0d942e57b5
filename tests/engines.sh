#!/bin/sh
# Tests in the engines that are not Chromium: engines.sh short|all PATTERN, where PATTERN names the end-to-end tests that are run (short), or those
# that are not (all). make calls it, from the top. An engine that is not here and cannot be installed is told of, and is a failure where CI=1.
set -eu

mode=$1 pattern=$2
mkdir -p bin/engines
: >bin/engines/not-run
$GO build -o bin/wasmrun ./tests/engine/wasmrun
failed=
for engine in firefox webkit; do
	if ! sh tests/setup.sh "$engine"; then
		[ "${CI:-}" != 1 ] || exit 1
		echo "$engine" >>bin/engines/not-run
		continue
	fi
	case $mode in
	short) rooms="./core/action ./core/loop ./core/own ./core/protocol ./core/queue ./core/record ./idbstore" ;;
	*) rooms="./core/... ./idbstore/" ;;
	esac
	env -i PATH="$PATH" HOME="$HOME" TMPDIR="${TMPDIR:-/tmp}" GOTOOLCHAIN="$GOTOOLCHAIN" GOWORK=off GOOS=js GOARCH=wasm GOFLAGS=-buildvcs=false ENGINE="$engine" \
		"$GO" test -timeout 3h -exec "'$PWD/bin/wasmrun'" $rooms >"bin/engines/$engine.wasm" 2>&1 || {
		grep -v 'no test files' "bin/engines/$engine.wasm"
		failed=yes
	}
	case $mode in
	short) set -- -run "$pattern" ;;
	*) set -- -skip "$pattern" ;;
	esac
	ENGINE=$engine $GO test -timeout 3h -count=1 -parallel 3 -json "$@" ./tests/e2e/ >"bin/engines/$engine.$mode" || failed=yes
	$GO run ./tests/engine/told "$engine=bin/engines/$engine.$mode" || failed=yes
done
[ -z "$failed" ]
