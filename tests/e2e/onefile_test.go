package e2e

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program runs the server's program in a directory, for a user whose home that is, until the test ends. It gives the URL.
func program(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(serverBin, args...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME=")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if url, is := strings.CutPrefix(lines.Text(), "strandline: "); is {
			return url
		}
	}
	t.Fatal("it ended before it listened")
	return ""
}

// The demo is in the program, with a data directory in the user's own place: nothing else has to be there.
func TestTheDemoFromOneFile(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	url := program(t, home, "demo", "--addr", "127.0.0.1:0")
	one := openBrowser(t, t.TempDir()).open(url + "/")
	one.eventually(`"yes"`, ready)
	one.add("From one file")
	one.eventually(`["Live","All changes are sent."]`, `return ["badge-state", "badge-next"].map((id) => document.getElementById(id).textContent)`)
	one.do(`await navigator.serviceWorker.ready`) // which has fetched everything that the demo has
	for _, page := range []string{"/notes.html", "/phones.html", "/inspector/"} {
		one.goTo(url + page)
		one.eventually(`"yes"`, ready)
	}
	if len(*one.console) > 0 {
		t.Error(*one.console)
	}
	if _, err := os.Stat(filepath.Join(home, ".local/share/strandline/demo/strandline.db")); err != nil {
		t.Error(err)
	}
}

// A page needs one script tag and no copying: the program shows the browser files itself, to pages of other origins too.
func TestTheBrowserFilesFromOneFile(t *testing.T) {
	t.Parallel()
	page := page(`<script src="URL/dist/strandline.global.js"></script>`)
	files := t.TempDir()
	url := program(t, t.TempDir(), "serve", "--addr", "127.0.0.1:0", "--dist", "--static", files)
	if err := os.WriteFile(filepath.Join(files, "index.html"), []byte(strings.ReplaceAll(page, "URL", "")), 0o644); err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, t.TempDir())
	one := b.open(url + "/")
	one.start("")
	one.want(`1`, `await s.create("todo", {title: "one tag"}); await s.settled(); return s.count()`)

	other := newSite(t)
	write(t, map[string]string{"other-origin.html": strings.ReplaceAll(page, "URL", url)})
	two := b.open(other.url + "/other-origin.html")
	two.start(`{server: undefined}`)
	two.want(`1`, `await s.create("todo", {title: "another origin"}); return s.count()`)
	two.want(`"function"`, `return typeof (await import("%s/dist/strandline.js")).open`, url)
	for _, tb := range []*tab{one, two} {
		if len(*tb.console) > 0 {
			t.Error(*tb.console)
		}
	}

	get := func(path, tag string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", tag)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	script, body := get("/dist/strandline.js", "")
	if want := string(built(t, "strandline.js")); script.StatusCode != 200 || body != want || script.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%d, %d bytes for %d, %v", script.StatusCode, len(body), len(want), script.Header)
	}
	if again, _ := get("/dist/strandline.js", script.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("what is known already is sent again: %d %v", again.StatusCode, script.Header)
	}
	wasm, err := filepath.Glob(filepath.Join(root, "js/dist/strandline.*.wasm"))
	if err != nil || len(wasm) != 1 {
		t.Fatal(wasm, err)
	}
	for path, want := range map[string]int{"/dist/" + filepath.Base(wasm[0]): 200, "/dist/": 404, "/dist": 404, "/dist/nothing.js": 404, "/dist/../index.html": 404, "/dist/strandline.d.ts": 200} {
		if resp, _ := get(path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d", path, resp.StatusCode)
		} else if want == 200 && strings.HasSuffix(path, ".wasm") &&
			(resp.Header.Get("Content-Type") != "application/wasm" || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable")) {
			t.Errorf("%s: %v", path, resp.Header)
		}
	}
}
