package main

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
	"time"
)

// The program is run as people run it: this test binary, told to be strandline.
func TestMain(m *testing.M) {
	if os.Getenv("STRANDLINE_MAIN") != "" {
		os.Args = append([]string{"strandline"}, os.Args[1:]...)
		main()
		return
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "STRANDLINE_MAIN=1")
	return cmd
}

// start runs serve and gives its URL.
func start(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	cmd := command(append([]string{"serve", "--addr", "127.0.0.1:0"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(strings.TrimPrefix(line, "strandline: "))
}

func get(t *testing.T, url, token string) (int, string) {
	t.Helper()
	req, _ := http.NewRequest(http.MethodGet, url, nil)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestWhatServeRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	os.WriteFile(empty, []byte("\n"), 0o600)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "serves action streams"},
		{[]string{"surf"}, `no command "surf"`},
		{[]string{"serve", "--addr", "0.0.0.0:0"}, "loopback addresses only"},
		{[]string{"serve", "--addr", ":0"}, "loopback addresses only"},
		{[]string{"serve", "--auth", "secret:" + filepath.Join(dir, "none")}, "read the secret"},
		{[]string{"serve", "--auth", "secret:" + empty}, "is empty"},
		{[]string{"serve", "--auth", "trust"}, "none or secret:FILE"},
		{[]string{"serve", "--engine", "paper"}, `no engine "paper"`},
		{[]string{"serve", "--static", filepath.Join(dir, "none")}, "is no directory"},
		{[]string{"serve", "--static", dir, "--data", filepath.Join(dir, "new", "data")}, "everybody could read"},
		{[]string{"serve", "--static", dir, "--data", dir}, "everybody could read"},
		{[]string{"serve", "--cors", "*"}, "is no origin"},
		{[]string{"serve", "--cors", "http://127.0.0.1:80/"}, "is no origin"},
		{[]string{"serve", "extra"}, `no argument "extra"`},
	} {
		cmd := command(c.args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %v, %s", c.args, err, out)
		}
	}
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	secret, data, files := filepath.Join(dir, "secret"), filepath.Join(dir, "data"), filepath.Join(dir, "files")
	os.WriteFile(secret, []byte(" sesame \n"), 0o600)
	os.MkdirAll(filepath.Join(files, ".git"), 0o755)
	os.MkdirAll(filepath.Join(files, "sub"), 0o755)
	for name, text := range map[string]string{"index.html": "hello", ".git/config": "private", "sub/a.0123456789.js": "x", "a.wasm": "w"} {
		os.WriteFile(filepath.Join(files, name), []byte(text), 0o644)
	}
	cmd, url := start(t, "--data", data, "--static", files, "--auth", "secret:"+secret)
	for _, c := range []struct {
		path, token string
		status      int
		body        string
	}{
		{"/", "", 200, "hello"}, {"/.git/config", "", 404, ""}, {"/sub/", "", 404, ""}, {"/nothing", "", 404, ""}, {"/../secret", "", 404, ""},
		{"/v1/log?stream=s", "", 401, "unauthorized"}, {"/v1/log?stream=s", "sesam", 401, "unauthorized"}, {"/v1/log?stream=s", "sesame", 200, `"head":0`},
		{"/v1", "", 404, "not-found"}, {"/v1//sync", "", 404, "not-found"},
	} {
		if status, body := get(t, url+c.path, c.token); status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	for path, want := range map[string]string{"/sub/a.0123456789.js": "immutable", "/a.wasm": "no-cache"} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if !strings.Contains(resp.Header.Get("Cache-Control"), want) || path == "/a.wasm" && resp.Header.Get("Content-Type") != "application/wasm" {
			t.Errorf("%s: %v", path, resp.Header)
		}
	}
	// A second server over the same data is refused.
	if out, err := command("serve", "--addr", "127.0.0.1:0", "--data", data).CombinedOutput(); err == nil || !strings.Contains(string(out), "in use") {
		t.Errorf("a second server: %v, %s", err, out)
	}
	// A graceful stop answers who waits.
	type answer struct {
		status int
		body   string
	}
	polled := make(chan answer, 1)
	go func() {
		status, body := get(t, url+"/v1/log?stream=s&wait=60", "sesame")
		polled <- answer{status, body}
	}()
	time.Sleep(200 * time.Millisecond)
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case a := <-polled:
		if a.status != 200 || !strings.Contains(a.body, `"head":0`) {
			t.Errorf("the long poll: %+v", a)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the long poll was not answered")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if _, url := start(t, "--data", data); url == "" {
		t.Error("it does not start again")
	}
}
