#!/bin/sh
# Runs the tests that use browsers and processes beside two busy loops per core: none of them fails by a clock. First all of them once, then ten
# times each that is named in TEN, an expression as go test -run takes it.
set -eu
cd "$(dirname "$0")/.."
loops=""
trap 'kill $loops 2>/dev/null || true' EXIT
trap 'exit 1' INT TERM
for _ in $(seq $((2 * $(getconf _NPROCESSORS_ONLN)))); do
	(while :; do :; done) &
	loops="$loops $!"
done
if [ "${ALL:-yes}" = yes ]; then
	sh tests/conformance/run.sh
	make test-wasm
	go test -count=1 -timeout 3h -parallel 2 ./tests/protocol/... ./cmd/strandline/... ./tests/e2e/
fi
[ -z "${TEN:-}" ] || go test -count=10 -timeout 6h -parallel 2 -run "$TEN" ./tests/e2e/
