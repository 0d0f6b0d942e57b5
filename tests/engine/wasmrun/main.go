// wasmrun is for go test -exec: it runs a js/wasm test binary in a real browser of the engine that ENGINE names, and gives its output and exit code.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/tests/engine"
)

const page = `<!doctype html><meta charset="utf-8"><title>wasm</title><link rel="icon" href="data:,"><script src="/wasm_exec.js"></script><script>
(async () => {
	const post = (path, body) => fetch(path, {method: "POST", body}).catch(() => {});
	try {
		const {args, env, cwd} = await (await fetch("/args")).json();
		let chain = Promise.resolve(), pending = [];
		const flush = () => { if (pending.length === 0) return; const body = new Blob(pending); pending = []; chain = chain.then(() => post("/out", body)); };
		setInterval(flush, 50);
		const fs = globalThis.fs;
		fs.writeSync = (fd, buf) => { pending.push(buf.slice()); return buf.length; };
		fs.write = function (fd, buf, offset, length, position, callback) { pending.push(buf.slice(offset, offset + length)); callback(null, length); };
		// Files are read from the machine; nothing is written.
		globalThis.process.cwd = () => cwd;
		fs.constants = {O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_TRUNC: 512, O_APPEND: 1024, O_EXCL: 128, O_DIRECTORY: 65536};
		const enoent = (path) => Object.assign(new Error(path), {code: "ENOENT"});
		const ask = (what, path) => fetch("/fs/" + what + "?path=" + encodeURIComponent(path)).then((r) => r.ok ? r : Promise.reject(enoent(path)));
		const statOf = (s) => ({...s, dev: 0, ino: 0, nlink: 1, uid: 0, gid: 0, rdev: 0, blksize: 4096, blocks: 0, atimeMs: 0, mtimeMs: 0, ctimeMs: 0, isDirectory: () => s.dir});
		const open = new Map(); let fds = 100;
		const back = (promise, callback) => promise.then((v) => callback(null, v), (e) => callback(e));
		const stat = (path) => ask("stat", path).then((r) => r.json()).then(statOf);
		fs.open = (path, flags, mode, callback) => back(stat(path).then(async (s) => {
			open.set(++fds, {s, at: 0, bytes: s.isDirectory() ? null : new Uint8Array(await (await ask("read", path)).arrayBuffer())});
			return fds;
		}), callback);
		fs.fstat = (fd, callback) => callback(null, open.get(fd).s);
		fs.stat = fs.lstat = (path, callback) => back(stat(path), callback);
		fs.readdir = (path, callback) => back(ask("readdir", path).then((r) => r.json()), callback);
		fs.read = (fd, buf, offset, length, position, callback) => {
			const f = open.get(fd), from = position ?? f.at, part = f.bytes.subarray(from, from + length);
			buf.set(part, offset);
			if (position === null) f.at += part.length;
			callback(null, part.length);
		};
		fs.close = (fd, callback) => { open.delete(fd); callback(null); };
		const go = new Go();
		go.argv = args; go.env = env;
		let code = 0;
		go.exit = (c) => { code = c; };
		const began = performance.now();
		const {instance} = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
		const compiled = performance.now() - began;
		await go.run(instance);
		flush();
		await chain;
		await post("/exit", JSON.stringify({code, compiled, ua: navigator.userAgent}));
	} catch (e) { await post("/exit", JSON.stringify({code: 2, error: String(e) + "\n" + e.stack, ua: navigator.userAgent})) }
})();
addEventListener("error", (e) => fetch("/out", {method: "POST", body: "page error: " + e.message + "\n"}));
addEventListener("unhandledrejection", (e) => fetch("/out", {method: "POST", body: "unhandled: " + e.reason + "\n"}));
</script>`

func main() {
	os.Exit(run())
}

func run() int {
	name := engine.Name()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	cwd, _ := os.Getwd()
	env := map[string]string{"TMPDIR": "/tmp"}
	exit := make(chan int, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, page)
	})
	mux.HandleFunc("/wasm_exec.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(strings.TrimSpace(string(goroot)), "lib/wasm/wasm_exec.js"))
	})
	mux.HandleFunc("/test.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		http.ServeFile(w, r, os.Args[1])
	})
	mux.HandleFunc("/args", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"args": os.Args[1:], "env": env, "cwd": cwd})
	})
	mux.HandleFunc("/fs/{what}", func(w http.ResponseWriter, r *http.Request) {
		path := r.FormValue("path")
		info, err := os.Stat(path)
		if err != nil {
			http.Error(w, err.Error(), 404)
			return
		}
		switch r.PathValue("what") {
		case "stat":
			mode := 0o100644
			if info.IsDir() {
				mode = 0o40755
			}
			json.NewEncoder(w).Encode(map[string]any{"size": info.Size(), "mode": mode, "dir": info.IsDir()})
		case "read":
			http.ServeFile(w, r, path)
		case "readdir":
			names := []string{}
			entries, _ := os.ReadDir(path)
			for _, e := range entries {
				names = append(names, e.Name())
			}
			json.NewEncoder(w).Encode(names)
		}
	})
	mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) { io.Copy(os.Stdout, r.Body) })
	mux.HandleFunc("/exit", func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Code     int
			Error    string
			Compiled float64
			UA       string
		}
		json.NewDecoder(r.Body).Decode(&e)
		fmt.Fprintf(os.Stderr, "# %s; compiled in %.0f ms %s\n", e.UA, e.Compiled, e.Error)
		exit <- e.Code
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	go http.Serve(l, mux)
	profile, err := os.MkdirTemp("", "wasmrun-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer os.RemoveAll(profile)
	p, err := engine.Launch(name, profile, "http://"+l.Addr().String()+"/")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer engine.End()
	defer p.Kill()
	limit := 10 * time.Minute
	if d, err := time.ParseDuration(os.Getenv("LIMIT")); err == nil {
		limit = d
	}
	select {
	case code := <-exit:
		return code
	case <-time.After(limit):
		fmt.Fprintln(os.Stderr, "# the limit is over")
		return 3
	}
}
