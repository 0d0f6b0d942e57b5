package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
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
	errs := new(said)
	cmd.Stderr = errs
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(errs)
		}
	})
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

// said is what a process says while it runs.
type said struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
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
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
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
		{[]string{"serve", "--auth", "trust"}, "none, secret:FILE"},
		{[]string{"serve", "--engine", "paper"}, `no engine "paper"`},
		{[]string{"serve", "--static", filepath.Join(dir, "none")}, "is no directory"},
		{[]string{"serve", "--static", dir, "--data", filepath.Join(dir, "new", "data")}, "everybody could read"},
		{[]string{"serve", "--static", dir, "--data", dir}, "everybody could read"},
		{[]string{"serve", "--cors", "*"}, "is no origin"},
		{[]string{"serve", "--cors", "http://127.0.0.1:80/"}, "is no origin"},
		{[]string{"serve", "extra"}, `serve takes no argument "extra"`},
		{[]string{"serve", "--addr", taken.Addr().String()}, "another program listens at " + taken.Addr().String() + ": end it, or take any free port: --addr 127.0.0.1:0"},
		{[]string{"serve", "--addr", "localhost"}, "missing port"},
		{[]string{"serve", "--data", empty}, "data directory"},
		{[]string{"serve", "--dist"}, "built without the browser files"},
		{[]string{"demo"}, "built without the browser files"},
		{[]string{"demo", "extra"}, `demo takes no argument "extra"`},
		{[]string{"version", "extra"}, `version takes no argument "extra"`},
	} {
		cmd := command(c.args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%v: %v, %s", c.args, err, out)
		}
		if len(c.args) > 1 && strings.Count(string(out), "\n") != 1 {
			t.Errorf("%v: more than one line: %s", c.args, out)
		}
	}
}

// It says what it is, and which formats and protocol it knows.
func TestVersion(t *testing.T) {
	for _, verb := range []string{"version", "--version"} {
		out, err := command(verb).CombinedOutput()
		for _, want := range []string{"strandline 0.1.0, built with go1.", "\nbrowser files      not inside\n", "\nprotocol           1 ", "\ndata directory     format 5\n",
			"\ncheckpoints        format 1\n", "\nIndexedDB          format 1, schema 1\n", "\nlocal log          format 4\n"} {
			if err != nil || !strings.Contains("\n"+string(out), want) {
				t.Errorf("%v: %q is not in\n%s", err, want, out)
			}
		}
	}
}

// Each system has its own place for a user's data.
func TestWhereAUsersDataIs(t *testing.T) {
	t.Setenv("HOME", "/home/ali")
	for setting, want := range map[string]string{"": "/home/ali/.local/share", "/elsewhere": "/elsewhere", "not/absolute": "/home/ali/.local/share"} {
		t.Setenv("XDG_DATA_HOME", setting)
		if got := userData(); runtime.GOOS == "linux" && got != want {
			t.Errorf("XDG_DATA_HOME=%q: %s", setting, got)
		}
	}
	t.Setenv("HOME", "")
	t.Setenv("XDG_DATA_HOME", "")
	if got := userData(); runtime.GOOS == "linux" && got != "" {
		t.Errorf("without a home: %s", got)
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
	sent := make(chan bool, 1)
	go func() {
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { sent <- true }})
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/log?stream=s&wait=60", nil)
		req.Header.Set("Authorization", "Bearer sesame")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			polled <- answer{0, err.Error()}
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		polled <- answer{resp.StatusCode, string(b)}
	}()
	patience.Receive(t, "the long poll to be sent", sent)
	for range 20 { // and the server to have it: it answers twenty others that came later
		get(t, url+"/v1/log?stream=s", "sesame")
	}
	cmd.Process.Signal(syscall.SIGTERM)
	if a := patience.Receive(t, "the long poll to be answered", polled); a.status != 200 || !strings.Contains(a.body, `"head":0`) {
		t.Errorf("the long poll: %+v", a)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v", err)
	}
	if _, url := start(t, "--data", data); url == "" {
		t.Error("it does not start again")
	}
}
