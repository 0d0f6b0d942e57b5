# The only commands anyone types. Go, make and a POSIX shell are all that build and demo need; test installs what it
# needs on a Debian machine (as root), and says what is missing elsewhere.

ADDR ?= 127.0.0.1:8080
DATA ?= ./data
GO   ?= go

# go.mod's toolchain line names the one Go for everything here; whichever is installed fetches it. Settings that change what Go builds do not
# count. js/build/toolchain is as strict for what is shipped, whoever calls it.
THEIR_TOOLCHAIN := $(GOTOOLCHAIN)
override GOTOOLCHAIN := $(shell sed -n 's/^toolchain //p' go.mod)
override GOWORK := off
override GOFLAGS := -buildvcs=false
override GO111MODULE := on
export GOTOOLCHAIN GOWORK GOFLAGS GO111MODULE
unexport GOROOT GOEXPERIMENT GOWASM GOFIPS140 GODEBUG GOOS GOARCH CGO_ENABLED
NEED = @GO="$(GO)" THEIR_TOOLCHAIN="$(THEIR_TOOLCHAIN)" sh tests/setup.sh

# A large environment makes wasm tests fail in the browser: they get a small one.
WASM_ENV = env -i PATH="$$PATH" HOME="$$HOME" TMPDIR="$${TMPDIR:-/tmp}" GOTOOLCHAIN=$(GOTOOLCHAIN) GOWORK=off GOOS=js GOARCH=wasm GOFLAGS=-buildvcs=false

.PHONY: all build pack release demo docs check ci test test-go test-race test-32 test-wasm test-e2e test-e2e-long test-tenth test-engines browsers test-smoke test-loaded test-frameworks test-release abuse speed soak-server \
	conformance lint vendor size pin toolchains bench bench-peers soak soak-frozen screenshots sim sim-data mutants fuzz chromium npm clean

# What a failed recipe has half made is no target.
.DELETE_ON_ERROR:

all: build

# ---- build: bin/strandline, with the browser files inside, and these in js/dist

build: bin/strandline

GO_SOURCES   := go.mod go.sum js/package.json $(shell find core client idbstore wasm server cmd js web-demo -name '*.go' -not -name '*_test.go' -not -path '*/node_modules/*')
WASM_SOURCES := go.mod go.sum $(shell find core idbstore wasm server js/testserver -name '*.go' -not -name '*_test.go')
JS_SOURCES   := wasm_exec.js idbstore/append.js js/package.json js/tsconfig.json $(shell find js/src js/types js/build -type f)
DEMO_SOURCES := web-demo/tsconfig.json $(shell find web-demo/src web-demo/public web-demo/build web-demo/vendor -type f)

bin/strandline: $(GO_SOURCES) js/dist/strandline.js web-demo/dist/index.html
	CGO_ENABLED=0 $(GO) build -tags bundled -trimpath -o $@ ./cmd/strandline

js/dist/strandline.js: $(WASM_SOURCES) $(JS_SOURCES)
	$(NEED) writable go
	$(GO) run ./js/build

web-demo/dist/index.html: js/dist/strandline.js $(DEMO_SOURCES)
	$(GO) run ./web-demo/build

# ---- pack: the npm package, as bin/strandline-VERSION.tgz

pack: js/dist/strandline.js
	$(GO) run ./js/pack

# ---- release: programs for each platform, the npm package and SHA256SUMS, in bin/release

release: js/dist/strandline.js web-demo/dist/index.html pack
	$(GO) run ./cmd/release

# ---- demo: builds what is missing and serves it

demo: bin/strandline
	exec bin/strandline demo --addr "$(ADDR)" --data "$(DATA)"

# ---- check: what takes two minutes; test: everything that always runs; ci: that, and what takes longer. Each says how long it took.

BEGAN := $(shell date +%s)
TOOK   = in $$(($$(date +%s) - $(BEGAN))) s

check: lint test-smoke
	$(GO_TEST) ./core/... ./client/... ./server/... ./cmd/... ./js/...
	@echo "all that make check looks at passed $(TOOK)"

test: lint test-go test-wasm conformance test-e2e size
	@echo "all tests passed $(TOOK)"

ci: test test-tenth test-e2e-long test-frameworks test-race test-32 test-release toolchains
	@echo "all of the longer tests passed too $(TOOK)$$(sed 's/^/; not run: the tests in /' bin/engines/not-run | tr -d '\n')"

# Tests give up where nothing moves; go test's own limit is for those that forget to.
GO_TEST = $(GO) test -timeout 3h

test-go: npm js/dist/strandline.js
	$(NEED) writable go
	$(GO_TEST) ./core/... ./client/... ./server/... ./cmd/... ./js/... ./web-demo/... ./tests/sim/... ./tests/datasim/... ./tests/node/... ./tests/protocol/... ./tests/layering/... ./tests/patience/... ./tests/firstrun/...

test-race:
	$(NEED) writable go gcc
	$(GO_TEST) -race ./core/... ./client/... ./server/... ./cmd/... ./tests/protocol/...
	$(GO_TEST) -race ./tests/sim -histories 60

test-32:
	$(NEED) writable go
	GOARCH=386 CGO_ENABLED=0 $(GO_TEST) ./core/... ./client/... ./server/... ./cmd/... ./tests/protocol/...

test-wasm: chromium bin/wasmbrowsertest
	$(WASM_ENV) $(GO_TEST) -exec "'$(CURDIR)/bin/wasmbrowsertest'" ./core/... ./idbstore/

FRAMEWORKS = ^Test(ThePackage|React|Frameworks|QuickStarts|Bundlers|TheGuideToTests)$$
# Sweeps and crowds: what is long by its nature, and always in make ci.
LONG = ^Test(TheNthRequestFails|TheNthRequestOfDataStreamsFails|MemoryStaysBounded|AStormOfReloads|EightTabsCountTo800|DestroyIsNoLoss)$$
test-e2e: chromium npm build
	$(GO_TEST) -count=1 -parallel 3 -skip '$(FRAMEWORKS)|$(LONG)' ./tests/e2e/

test-e2e-long: chromium npm build
	$(GO_TEST) -count=1 -parallel 3 -run '$(LONG)' ./tests/e2e/

# In Firefox and WebKit: the core and the store, and of the end-to-end tests some, in each make ci (kills, blobs, tabs,
# restarts, signing out); or all that can, by hand. Engines that are not here are told of in the last line.
TENTH = ^Test(OfflineWritesSurviveAndConverge|BrowserKilledWhileWriting|DataStreamOfBytes|BlobsAreStoredAsCopies|NothingIsKeptOfWhatIsDestroyed|UsersAreApart|TwoTabsOfOneProfile|ADuplicatedTab|TheRuntimeIsRestarted|ABundle)$$
test-tenth: npm build
	GO="$(GO)" sh tests/engines.sh short '$(TENTH)'

test-engines: npm build
	GO="$(GO)" sh tests/engines.sh all '$(FRAMEWORKS)|$(LONG)'

# Writes the table of docs/BROWSERS.md, after make test-engines.
browsers:
	$(GO) run ./tests/engine/told -write docs/BROWSERS.md firefox=bin/engines/firefox.all webkit=bin/engines/webkit.all

# The thinnest whole path: offline writes, a kill, convergence.
test-smoke: chromium build
	$(GO_TEST) -count=1 -run '^TestOfflineWritesSurviveAndConverge$$' ./tests/e2e/

# Beside two busy loops per core: all once, and ten times each of those whose waiting a busy machine has found wrong before; ALL=no leaves the
# others out.
TEN ?= ^Test(DemoUpdatesUnderOpenTabs|BrowserKilledWhileWriting|TheServiceWorkerDelivers|TheServiceWorkerIsAskedForAgain|ALeaderThatHangs|ReadmeCommands|ReadmeSnippets|AProgramThatDiesInMemory)$$
ALL ?= yes
test-loaded: chromium npm build pack bin/wasmbrowsertest tests/pack/node_modules tests/conformance/node_modules
	TEN='$(TEN)' ALL=$(ALL) sh tests/loaded.sh

# The package with the tools and frameworks that people build with: Vite, Workbox, webpack, Rollup, esbuild, Next.js, Vitest, React, Vue, Svelte, Solid, Angular, Node, tsc, publint, attw.
test-frameworks: chromium npm build pack tests/pack/node_modules
	$(GO_TEST) -count=1 -run '$(FRAMEWORKS)' ./tests/e2e/

tests/pack/node_modules: tests/pack/package-lock.json
	$(NEED) npm packages=tests/pack
	@touch $@

# The public conformance suite of the Durable Streams Protocol, and that protocol's own client, against strandline serve.
conformance: bin/strandline tests/conformance/node_modules
	@sh tests/conformance/run.sh

tests/conformance/node_modules: tests/conformance/package-lock.json
	$(NEED) npm packages=tests/conformance
	@touch $@

lint: npm bin/staticcheck
	@bad=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "not gofmt: $$bad"; exit 1; fi
	$(GO) vet ./...
	GOOS=js GOARCH=wasm $(GO) vet ./core/... ./idbstore/... ./wasm/... ./js/testserver
	$(GO) vet -tags 'release soak mutants' ./cmd/release ./tests/e2e ./tests/sim ./tests/datasim
	bin/staticcheck ./...
	GOOS=js GOARCH=wasm bin/staticcheck ./core/... ./idbstore/... ./wasm/... ./js/testserver
	js/node_modules/.bin/tsc -p js
	js/node_modules/.bin/tsc -p web-demo
	js/node_modules/.bin/tsc -p tests/types
	js/node_modules/.bin/tsc -p tests/datasim
	node js/build/examples.mjs
	@node js/build/api.mjs | cmp - docs/API.md || { echo "docs/API.md is not that of the types: make docs"; exit 1; }

# The API reference, out of the types.
docs: npm
	node js/build/api.mjs > docs/API.md

# The demo's Yjs, out of the npm package.
vendor: npm
	$(GO) run ./web-demo/vendor

size: js/dist/strandline.js
	$(NEED) brotli
	$(GO) run ./tests/size

# After go.mod's toolchain line was changed: takes over that Go's glue, and says what the change weighs.
pin:
	$(NEED) go brotli
	cp "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" wasm_exec.js
	$(GO) run ./tests/size -since HEAD

# Builds with each Go of a list, installed and fetched, over caches of their own, and with nonsense in Go's settings: the bytes are the same.
toolchains:
	$(NEED) writable go
	$(GO) run ./tests/toolchains

# The released files: one program and the package made again elsewhere have the same bytes, and each program for Linux runs.
test-release: release
	$(NEED) qemu
	$(GO_TEST) -count=1 -tags release ./cmd/release

bench: chromium build web-demo/dist/index.html tests/bench/contenders/node_modules
	$(GO) run ./tests/bench -out docs/PERFORMANCE.md
	$(GO) run ./tests/bench -out docs/PERFORMANCE.md -growth
	$(GO) run ./tests/bench -out docs/PERFORMANCE.md -data
	$(GO) test ./core/... ./server/... -run '^$$' -bench . -benchtime 2s

tests/bench/contenders/node_modules: tests/bench/contenders/package-lock.json
	$(NEED) npm packages=tests/bench/contenders
	@touch $@

# A healthy client beside what others do to the server: docs/OPERATING.md. Some three minutes.
abuse:
	$(GO) build -o bin/strandline-abuse ./cmd/strandline
	$(GO) run ./tests/abuse -program bin/strandline-abuse

# What the server adds to what the engine and net/http cost, in one run: docs/OPERATING.md. Two minutes.
speed:
	$(GO) run ./tests/speed

# The same work with other libraries, in cold pages of one browser; the table goes into docs/PERFORMANCE.md. Some 15 minutes.
ROUNDS ?= 3
bench-peers: chromium build tests/peers/node_modules
	cd tests/peers && node run.mjs --rounds $(ROUNDS) --out peers --doc ../../docs/PERFORMANCE.md

tests/peers/node_modules: tests/peers/package-lock.json
	$(NEED) npm packages=tests/peers
	@touch $@

# Pictures of each page in light and dark, on a phone and a desktop, in screenshots/.
screenshots: chromium npm build
	@mkdir -p screenshots
	SCREENSHOTS="$(CURDIR)/screenshots" $(GO) test -count=1 -run '^(TestTodoMVC|TestDemo.*|TestTwoPhones|TestInspector)$$' ./tests/e2e/

# Simulated histories: SEED is the first one's, N how many; docs/SIMULATION.md.
SEED ?= 0
N    ?= 2000
sim:
	$(GO) test ./tests/sim -count=1 -timeout 0 -run '^TestHistories$$' -v -seed $(SEED) -histories $(N) | grep -v '^=== \|^    --- PASS'

# The same of data streams: the script in Node, over the server's handler.
sim-data: npm
	$(GO) test ./tests/datasim -count=1 -timeout 0 -run '^TestDataHistories$$' -v -seed $(SEED) -histories $(N) | grep -v '^=== '

# Twenty tabs for ten minutes, and sixty kills of the browser.
soak: chromium npm build
	$(GO) test -tags soak -count=1 -timeout 60m -v -run '^(TestTwentyTabs|TestKillCycles|TestABadLine)$$' ./tests/e2e/

# The server killed 500 times while it is written to, restored and erased from: CYCLES=500.
CYCLES ?= 500
soak-server:
	$(GO) test -tags soak -count=1 -timeout 0 -v -run "^TestServerCycles$$" ./cmd/strandline -cycles $(CYCLES) | grep -v "^=== "

# Tabs that stay frozen for an hour in the middle of their transactions.
soak-frozen: chromium npm build
	$(GO) test -tags soak -count=1 -timeout 90m -v -run '^TestFrozenForAnHour$$' ./tests/e2e/

# Bugs that are planted one by one: the simulator finds each within a minute.
mutants:
	$(GO) test -tags mutants ./tests/sim ./tests/datasim ./js/units -count=1 -timeout 0 -run '^TestMutants$$' -v | grep -v '^=== '

# Longer than a test: each target for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@grep -o 'func Fuzz[A-Za-z]*' core/*/*_test.go | sed 's|/[^/]*:func| |' | while read -r room f; do $(GO) test ./$$room -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) || exit 1; done

# ---- what the tests need

# Built natively first: run through GOOS=js, go tool would build them for the browser.
bin/staticcheck: go.mod go.sum
	$(NEED) writable go
	$(GO) build -o $@ honnef.co/go/tools/cmd/staticcheck

bin/wasmbrowsertest: go.mod go.sum
	$(NEED) writable go
	$(GO) build -o $@ github.com/agnivade/wasmbrowsertest

chromium:
	$(NEED) chromium

npm: js/node_modules/.bin/tsc

js/node_modules/.bin/tsc: js/package.json js/package-lock.json
	$(NEED) npm packages=js
	@touch $@

clean:
	chmod -R u+w bin/modcache 2>/dev/null || true
	rm -rf bin js/dist web-demo/dist
