# The only commands anyone types. Go, make and a POSIX shell are all that build and demo need; test installs what it
# needs on a Debian machine (as root), and says what is missing elsewhere.

ADDR ?= 127.0.0.1:8080
DATA ?= ./data
GO   ?= go
# A large environment makes wasm tests fail in the browser: they get a small one.
WASM_ENV = env -i PATH="$$PATH" HOME="$$HOME" TMPDIR="$${TMPDIR:-/tmp}" GOOS=js GOARCH=wasm GOFLAGS=-buildvcs=false

.PHONY: all build pack demo docs test test-go test-wasm test-e2e conformance lint vendor size bench soak soak-frozen screenshots sim mutants fuzz tools chromium npm clean

all: build

# ---- build: bin/strandline and js/dist

build: bin/strandline js/dist/strandline.js

GO_SOURCES   := go.mod go.sum $(shell find core idbstore wasm server cmd -name '*.go' -not -name '*_test.go')
WASM_SOURCES := go.mod go.sum $(shell find core idbstore wasm -name '*.go' -not -name '*_test.go')
JS_SOURCES   := wasm_exec.js $(shell find js/src js/types js/build -type f)
DEMO_SOURCES := $(shell find web-demo/src web-demo/public web-demo/build web-demo/vendor -type f)

bin/strandline: $(GO_SOURCES)
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/strandline

js/dist/strandline.js: $(WASM_SOURCES) $(JS_SOURCES)
	$(GO) run ./js/build

web-demo/dist/index.html: js/dist/strandline.js $(DEMO_SOURCES)
	$(GO) run ./web-demo/build

# ---- pack: the npm package, as bin/strandline-VERSION.tgz

pack: js/dist/strandline.js
	@sh tests/setup.sh npm
	@rm -f bin/strandline-*.tgz
	$(GO) run ./js/pack
	cd bin/package && npm pack --silent --pack-destination ..

# ---- demo: builds what is missing and serves it

demo: bin/strandline web-demo/dist/index.html
	exec bin/strandline serve --addr $(ADDR) --data $(DATA) --static web-demo/dist --max-action 4096

# ---- test

test: lint test-go test-wasm conformance test-e2e size
	@echo "all tests passed"

test-go:
	@sh tests/setup.sh gcc
	$(GO) test -race ./core/... ./server/... ./cmd/... ./js/... ./web-demo/... ./tests/sim/... ./tests/layering/... ./tests/protocol/...

test-wasm: chromium bin/wasmbrowsertest
	$(WASM_ENV) $(GO) test -exec "$(CURDIR)/bin/wasmbrowsertest" ./core/ ./idbstore/

test-e2e: chromium npm build web-demo/dist/index.html pack tests/pack/node_modules
	$(GO) test -count=1 -timeout 30m ./tests/e2e/

# What the package is tried with: Vite, Workbox, publint, attw.
tests/pack/node_modules: tests/pack/package-lock.json
	@sh tests/setup.sh npm
	cd tests/pack && npm ci --no-audit --no-fund --silent
	@touch $@

# The public conformance suite of the Durable Streams Protocol, and that protocol's own client, against strandline serve.
conformance: bin/strandline tests/conformance/node_modules
	@sh tests/conformance/run.sh

tests/conformance/node_modules: tests/conformance/package-lock.json
	@sh tests/setup.sh npm
	cd tests/conformance && npm ci --no-audit --no-fund --silent
	@touch $@

lint: npm bin/staticcheck
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "not gofmt: $$bad"; exit 1; fi
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./core/... ./idbstore/... ./wasm/...
	bin/staticcheck ./...
	GOOS=js GOARCH=wasm bin/staticcheck ./core/... ./idbstore/... ./wasm/...
	js/node_modules/.bin/tsc -p js
	js/node_modules/.bin/tsc -p web-demo
	js/node_modules/.bin/tsc -p tests/types
	@node js/build/api.mjs | cmp - docs/API.md || { echo "docs/API.md is not that of the types: make docs"; exit 1; }

# The API reference, out of the types.
docs: npm
	node js/build/api.mjs > docs/API.md

# The demo's Yjs, out of the npm package.
vendor: npm
	$(GO) run ./web-demo/vendor

size: js/dist/strandline.js
	@sh tests/setup.sh brotli
	$(GO) run ./tests/size

bench: chromium build web-demo/dist/index.html tests/bench/contenders/node_modules
	$(GO) run ./tests/bench -out docs/PERFORMANCE.md
	$(GO) test ./core ./server/... -run '^$$' -bench . -benchtime 2s

tests/bench/contenders/node_modules: tests/bench/contenders/package-lock.json
	@sh tests/setup.sh npm
	cd tests/bench/contenders && npm ci --no-audit --no-fund --silent
	@touch $@

# Pictures of each page in light and dark, on a phone and a desktop, in screenshots/.
screenshots: chromium npm build web-demo/dist/index.html
	@mkdir -p screenshots
	SCREENSHOTS="$(CURDIR)/screenshots" $(GO) test -count=1 -run '^(TestTodoMVC|TestDemo.*|TestTwoPhones|TestInspector)$$' ./tests/e2e/

# Simulated histories: SEED is the first one's, N how many; docs/SIMULATION.md.
SEED ?= 0
N    ?= 2000
sim:
	$(GO) test ./tests/sim -count=1 -timeout 0 -run '^TestHistories$$' -v -seed $(SEED) -histories $(N) | grep -v '^=== \|^    --- PASS'

# Twenty tabs for ten minutes, and sixty kills of the browser.
soak: chromium npm build web-demo/dist/index.html
	$(GO) test -tags soak -count=1 -timeout 60m -v -run '^(TestTwentyTabs|TestKillCycles)$$' ./tests/e2e/

# Tabs that stay frozen for an hour in the middle of their transactions.
soak-frozen: chromium npm build web-demo/dist/index.html
	$(GO) test -tags soak -count=1 -timeout 90m -v -run '^TestFrozenForAnHour$$' ./tests/e2e/

# Bugs that are planted one by one: the simulator finds each within a minute.
mutants:
	$(GO) test -tags mutants ./tests/sim -count=1 -timeout 0 -run '^TestMutants$$' -v | grep -v '^=== '

# Longer than a test: each target for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@for f in $$(grep -oh 'func Fuzz[A-Za-z]*' core/*_test.go | cut -c6-); do $(GO) test ./core -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) || exit 1; done

# ---- what the tests need

# Built natively first: run through GOOS=js, go tool would build them for the browser.
bin/staticcheck: go.mod go.sum
	$(GO) build -o $@ honnef.co/go/tools/cmd/staticcheck

bin/wasmbrowsertest: go.mod go.sum
	$(GO) build -o $@ github.com/agnivade/wasmbrowsertest

chromium:
	@sh tests/setup.sh chromium

npm: js/node_modules/.bin/tsc

js/node_modules/.bin/tsc: js/package.json js/package-lock.json
	@sh tests/setup.sh npm
	cd js && npm ci --no-audit --no-fund --silent
	@touch $@

clean:
	rm -rf bin js/dist web-demo/dist
