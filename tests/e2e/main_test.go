// Package e2e proves the whole in real browsers: headless Chromium, real IndexedDB, a real server process, real kills.
package e2e

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/strandline-sync/strandline/tests/engine"
)

var (
	root      string // of the repository
	serverBin string
	webRoot   string // what the pages of these tests are served from
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	log.SetOutput(os.Stderr)
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		log.Fatal(err)
	}
	tmp, err := os.MkdirTemp("", "strandline-e2e-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)
	serverBin = filepath.Join(tmp, "strandline")
	if _, err := os.Stat(filepath.Join(root, "web-demo/dist/index.html")); err != nil {
		log.Fatal("web-demo/dist is not built; run make build, or make test-e2e, which does")
	}
	build := exec.Command("go", "build", "-tags", "bundled", "-o", serverBin, "./cmd/strandline")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		log.Fatalf("build the server: %v\n%s", err, out)
	}
	webRoot = filepath.Join(tmp, "www")
	for name, text := range pages {
		path := filepath.Join(webRoot, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			log.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			log.Fatal(err)
		}
	}
	for name, target := range map[string]string{"dist": "js/dist", "demo": "web-demo/dist"} {
		if err := os.Symlink(filepath.Join(root, target), filepath.Join(webRoot, name)); err != nil {
			log.Fatal(err)
		}
	}
	defer engine.End()
	return m.Run()
}

// pages are the files that the tests open: one for each way of loading the package.
var pages = map[string]string{
	"index.html": page(`<script type="module">
import * as strandline from "/dist/strandline.js";
window.strandline = strandline;
</script>`),
	"strict.html": page(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'">
<script src="/dist/strandline.global.js"></script>`),
	"blocked.html": page(`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; connect-src 'self'">
<script src="/dist/strandline.global.js"></script>`),
	"classic.html": page(`<script src="/dist/strandline.global.js"></script>`),
	"empty.html":   page(``),
	"sw.js": `importScripts("/dist/strandline.sw.js");
strandline.serviceWorker({name: "test", server: location.origin, log: (e) => (self.logged ??= []).push(e)});`,
	"module-sw.js": `import { serviceWorker } from "/dist/sw.js";
serviceWorker({name: "test", server: location.origin});`,
	"worker.js":        `importScripts("/dist/strandline.global.js");` + worker,
	"module-worker.js": `import * as strandline from "/dist/strandline.js";` + worker,
}

// worker makes an action and an entry of a data stream, and says what it sees.
const worker = `
onmessage = async ({data: title}) => {
	try {
		const db = await strandline.open({name: "test", server: location.origin, timers: {idle: 300, retry: 300}});
		const s = await db.stream("lists/1"), d = await db.data("chat");
		await s.create("todo", {title});
		await d.append({title});
		await s.settled();
		await d.settled();
		postMessage([s.count({where: {title}}), (await db.health()).indexedDB, db.status.leader]);
	} catch (e) { postMessage(String(e.stack)) }
};`

func page(body string) string {
	return fmt.Sprintf(`<!doctype html><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">%s`, body)
}
