package e2e

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// installed is the package as npm installs it from its tarball, in a folder of its own with the app of tests/pack.
func installed(t *testing.T) (app string) {
	t.Helper()
	tarballs, err := filepath.Glob(filepath.Join(root, "bin/strandline-*.tgz"))
	if err != nil || len(tarballs) != 1 {
		t.Fatal("there is not one tarball in bin; make pack makes it: ", tarballs)
	}
	app = t.TempDir()
	if err := os.CopyFS(app, os.DirFS(filepath.Join(root, "tests/pack/app"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(app, "package.json"), []byte(`{"private": true, "type": "module"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, app, "npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", tarballs[0])
	return app
}

// command runs a program of a folder, of those that the package is tried with.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	tools := filepath.Join(root, "tests/pack/node_modules")
	if tool := filepath.Join(tools, ".bin", name); name != "npm" && name != "node" {
		name = tool
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TOOLS="+filepath.Dir(tools), "NEXT_TELEMETRY_DISABLED=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// develop runs Vite's server for an app, and gives its URL.
func develop(t *testing.T, app, server string, args ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // its port is free
	_, port, _ := net.SplitHostPort(l.Addr().String())
	tools := filepath.Join(root, "tests/pack")
	dev := exec.Command(filepath.Join(tools, "node_modules/.bin/vite"), append([]string{"--host", "127.0.0.1", "--port", port, "--strictPort"}, args...)...)
	dev.Dir, dev.Env = app, append(os.Environ(), "SYNC_SERVER="+server, "TOOLS="+tools)
	if err := dev.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Process.Kill(); dev.Wait() })
	url := "http://127.0.0.1:" + port + "/"
	patience.True(t, "Vite to listen", func() bool {
		resp, err := http.Get(url)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	})
	return url
}

// publish puts a folder of the app under the site.
func publish(t *testing.T, from, name string) {
	t.Helper()
	to := filepath.Join(webRoot, name)
	t.Cleanup(func() { os.RemoveAll(to) })
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// write makes files of the site.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(webRoot, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// The tarball works in everything that apps are made with, and the wasm is found without a word.
func TestThePackage(t *testing.T) {
	t.Parallel()
	app := installed(t)
	dist := filepath.Join(app, "node_modules/strandline/dist")
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	const opens = `
		window.ready = (async () => {
			const db = await strandline.open({name: "package", server: location.origin});
			const list = await db.stream("package/list"), chat = await db.data("package/chat");
			await list.create("todo", {}); await chat.append("x");
			await list.settled(); await chat.settled();
			return [list.count() > 0, (await chat.read()).length > 0];
		})();`
	opened := func(t *testing.T, path, want string) *tab {
		tb := b.open(s.url + path)
		tb.t = t
		tb.eventually(`true`, `return window.ready !== undefined`)
		tb.want(want, `return await ready`)
		if len(*tb.console) > 0 {
			t.Error(*tb.console)
		}
		return tb
	}
	publish(t, dist, "package")

	t.Run("a script", func(t *testing.T) {
		write(t, map[string]string{"package-script.html": page(`<script src="/package/strandline.global.js"></script><script>` + opens + `</script>`)})
		opened(t, "/package-script.html", `[true,true]`)
	})
	t.Run("a module", func(t *testing.T) {
		write(t, map[string]string{"package-module.html": page(`<script type="module">import * as strandline from "/package/strandline.js";` + opens + `</script>`)})
		opened(t, "/package-module.html", `[true,true]`)
	})
	t.Run("a strict policy", func(t *testing.T) {
		policy := `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'">`
		write(t, map[string]string{
			"package-strict.html": page(policy + `<script src="/package/strandline.global.js"></script><script src="/package-strict.js"></script>`),
			"package-strict.js":   opens,
			"package-none.html":   page(strings.Replace(policy, " 'wasm-unsafe-eval'", "", 1) + `<script src="/package/strandline.global.js"></script>`),
		})
		opened(t, "/package-strict.html", `[true,true]`)
		none := b.open(s.url + "/package-none.html")
		none.t = t
		none.want(`"wasm"`, `return await strandline.open({name: "none"}).catch((e) => e.code)`) // a policy that forbids it is an error that says so
	})
	t.Run("Vite", func(t *testing.T) {
		command(t, app, "vite", "build")
		publish(t, filepath.Join(app, "dist"), "vite")
		opened(t, "/vite/", `[2,2,"written"]`)
		wasm, err := filepath.Glob(filepath.Join(app, "dist/assets/*.wasm"))
		if err != nil || len(wasm) != 1 {
			t.Errorf("the build holds the wasm as %v", wasm)
		}
		t.Run("a service worker that the app bundles, with Workbox's list", func(t *testing.T) {
			command(t, app, "vite", "build", "--outDir", "worker", "--config", "sw.config.js")
			command(t, app, "node", "workbox.mjs", "inject", "dist", "worker/sw.js")
			publish(t, filepath.Join(app, "dist"), "inject")
			offlineApp(t, s, "/inject/", "vite", `{type: "module"}`)
		})
	})
	t.Run("Vite while developing", func(t *testing.T) {
		url := develop(t, app, s.url)
		tb := b.open(url)
		tb.t = t
		tb.eventually(`true`, `return window.ready !== undefined`)
		tb.want(`[true,true,"written"]`, `const [rows, entries, said] = await ready; return [rows >= 4, entries >= 4, said]`) // with what the built one has written
	})
	t.Run("Workbox", func(t *testing.T) {
		site := filepath.Join(app, "workbox")
		if err := os.CopyFS(filepath.Join(site, "strandline"), os.DirFS(dist)); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"index.html":  page(`<script src="strandline/strandline.global.js"></script><script>` + opens + `</script>`),
			"wake-ups.js": `strandline.serviceWorker({name: "package", server: location.origin});`,
		} {
			if err := os.WriteFile(filepath.Join(site, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		command(t, app, "node", "workbox.mjs", "generate", "workbox")
		publish(t, site, "workbox")
		offlineApp(t, s, "/workbox/", "package", `{}`)
	})
	t.Run("Node", func(t *testing.T) {
		got := command(t, app, "node", "--input-type=module", "-e", `
			const before = Object.getOwnPropertyNames(globalThis).length;
			const s = await import("strandline"), w = await import("strandline/sw");
			await import("strandline/inspector");
			const added = Object.getOwnPropertyNames(globalThis).length - before;
			console.log(JSON.stringify([typeof s.open, typeof w.serviceWorker, added, s.increment(2) instanceof s.FieldOp, await s.open({ name: "x" }).catch((e) => e.code)]));
			const { testServer } = await import("strandline/test");
			const server = await testServer(), db = await s.open({ name: "x", ...server.device("ada").options });
			await (await db.stream("a")).create("todo", {}).persisted;
			await db.close();
			server.close();`)
		if want := `["function","function",0,true,"storage"]` + "\n"; got != want {
			t.Errorf("got %s want %s", got, want)
		}
	})
	t.Run("types", func(t *testing.T) {
		for _, resolution := range []string{"bundler", "node16"} {
			module := map[string]string{"bundler": "esnext", "node16": "node16"}[resolution]
			command(t, app, "tsc", "--strict", "--noEmit", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022", "--lib", "es2022,dom", "--module", module, "--moduleResolution", resolution, "types.ts")
		}
	})
	t.Run("publint and attw", func(t *testing.T) {
		command(t, app, "publint", "--strict", filepath.Join(app, "node_modules/strandline"))
		tarballs, _ := filepath.Glob(filepath.Join(root, "bin/strandline-*.tgz"))
		command(t, app, "attw", tarballs[0], "--profile", "esm-only", "--exclude-entrypoints", "strandline.all.js", "strandline.global.js", "strandline.sw.js", "strandline.wasm", "package.json")
	})
	t.Run("its files", func(t *testing.T) {
		var names []string
		entries, err := os.ReadDir(dist)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if got := strings.Join(names, " "); len(names) != 40 || strings.Count(got, ".wasm") != 2 {
			t.Errorf("the package holds %s", got)
		}
		manifest, err := os.ReadFile(filepath.Join(app, "node_modules/strandline/package.json"))
		if err != nil || strings.Contains(string(manifest), "scripts") || strings.Contains(string(manifest), "dependencies") {
			t.Errorf("%v: %s", err, manifest)
		}
	})
}

// offlineApp opens an app whose service worker keeps it, ends the server, and opens it again.
func offlineApp(t *testing.T, s *site, path, database, options string) {
	t.Helper()
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url + path)
	one.t = t
	one.do(`await ready`)
	one.do(`await navigator.serviceWorker.register("sw.js", %s); await navigator.serviceWorker.ready`, options)
	one.eventually(`true`, `return navigator.serviceWorker.controller !== null`)
	b.t = t
	if got := b.serviceWorker().wake("sync", "strandline/"+database+"/"); got != `"quiet"` {
		t.Errorf("its service worker says %s", got)
	}
	s.kill()
	defer s.start()
	one.reload()
	one.eventually(`true`, `return window.ready !== undefined`)
	one.do(`window.failed = null; ready.catch((e) => failed = String(e)); return 0`)
	one.eventually(`true`, `return performance.getEntriesByType("resource").filter((e) => e.name.includes("/v1/")).length >= 2`)
	one.want(`null`, `return failed`) // settled() waits, and nothing fails
	one.want(`true`, `return (await caches.keys()).length > 0`)
	// It opens out of the caches alone.
	one.want(`true`, `const all = []; for (const name of await caches.keys()) all.push(...(await (await caches.open(name)).keys()).map((r) => r.url)); return all.some((url) => url.includes(".wasm"))`)
}
