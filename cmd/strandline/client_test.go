package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

func run(stdin string, args ...string) (stdout, stderr string, err error) {
	cmd := command(args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func op(n int) string {
	return fmt.Sprintf(`{"op":"create","object":"0b1ec700-0000-4000-8000-%012d","type":"todo","fields":{"n":%d}}`, n, n)
}

// tailing runs tail and gives its lines.
func tailing(t *testing.T, args ...string) (*exec.Cmd, <-chan string) {
	t.Helper()
	cmd := command(append([]string{"tail"}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := make(chan string, 1000)
	go func() {
		s := bufio.NewScanner(out)
		for s.Scan() {
			lines <- s.Text()
		}
		close(lines)
	}()
	return cmd, lines
}

func next(t *testing.T, lines <-chan string) string {
	t.Helper()
	return patience.Receive(t, "a line", lines)
}

func TestAppendAndTail(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	server, url := start(t, "--data", data, "--auth", "secret:"+secret)
	_, lines := tailing(t, url, "lists/1", "--token", secret)
	out, errs, err := run(op(1)+"\n\n["+op(2)+","+op(3)+"]\n"+op(4)+"\n", "append", "--token", secret, url, "lists/1")
	if err != nil {
		t.Fatal(err, errs)
	}
	got := strings.Fields(out)
	if len(got) != 6 || got[0] != "1" || got[2] != "2" || got[4] != "3" {
		t.Fatalf("append printed %q", out)
	}
	for i := range 3 {
		if line := next(t, lines); !strings.Contains(line, got[2*i+1]) || !strings.Contains(line, fmt.Sprintf(`"index":%d,`, i+1)) {
			t.Fatalf("tail printed %s", line)
		}
	}
	// More than one request holds, and a server that goes away and comes back.
	var many strings.Builder
	for i := range 1200 {
		fmt.Fprintln(&many, op(100+i))
	}
	if out, errs, err = run(many.String(), "append", url, "lists/1", "--token", secret); err != nil || strings.Count(out, "\n") != 1200 || !strings.Contains(out, "\n1203 ") {
		t.Fatalf("%v %s %.200s", err, errs, out)
	}
	for range 1200 {
		next(t, lines)
	}
	server.Process.Kill()
	server.Wait()
	addr := strings.TrimPrefix(url, "http://")
	again := command("serve", "--addr", addr, "--data", data, "--auth", "secret:"+secret)
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.Process.Kill(); again.Wait() })
	if _, errs, err := run(op(9000), "append", url, "lists/1", "--token", secret); err != nil {
		t.Fatal(err, errs)
	}
	if line := next(t, lines); !strings.Contains(line, `"index":1204,`) {
		t.Fatalf("tail printed %s", line)
	}
	_, late := tailing(t, "--after", "1203", "--token", secret, url, "lists/1")
	if line := next(t, late); !strings.Contains(line, `"index":1204,`) {
		t.Fatalf("tail --after printed %s", line)
	}
}

func TestBadInputOfAppendAndTail(t *testing.T) {
	_, url := start(t, "--data", t.TempDir())
	for name, c := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"no JSON":           {op(1) + "\nnonsense", []string{"append", url, "s"}, "line 2: malformed"},
		"more than ops":     {`[],"atomic":true,"ops":[` + op(1) + `]`, []string{"append", url, "s"}, "line 1: malformed"},
		"an unknown op":     {`{"op":"explode"}`, []string{"append", url, "s"}, "line 1:"},
		"a refused action":  {`{"op":"unlock","object":"0b1ec700-0000-4000-8000-000000000001"}`, []string{"append", url, "s"}, "only the server unlocks"},
		"a rounded number":  {`{"op":"update","object":"0b1ec700-0000-4000-8000-000000000001","set":{"n":9007199254740993}}`, []string{"append", url, "s"}, "beyond 2^53"},
		"no stream":         {"", []string{"append", url}, "takes a URL and a STREAM"},
		"no URL":            {"", []string{"tail", "localhost", "s"}, "no http URL"},
		"a bad stream name": {"", []string{"tail", url, "a b"}, "stream name"},
		"after the head":    {"", []string{"tail", url, "s", "--after", "7"}, "epoch"},
		"no server":         {op(1), []string{"append", "http://127.0.0.1:1", "s"}, "unreachable"},
	} {
		if _, errs, err := run(c.stdin, c.args...); err == nil || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %v, %s", name, err, errs)
		}
	}
	out, _, err := run("", "append", url, "s")
	if err != nil || out != "" {
		t.Errorf("nothing: %v %s", err, out)
	}
}

// A line is appended when it comes, not when the input ends; a signal ends it.
func TestAppendGoesOn(t *testing.T) {
	_, url := start(t, "--data", t.TempDir())
	cmd := command("append", url, "s")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for n := 1; n <= 2; n++ {
		fmt.Fprintln(in, op(n))
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), fmt.Sprint(n, " ")) {
			t.Fatalf("append printed %q", lines.Text())
		}
	}
	cmd.Process.Signal(os.Interrupt)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := patience.Receive(t, "a signal to end it", ended); err != nil {
		t.Fatal(err)
	}
	// What comes before a line that cannot be read is appended.
	stdout, stderr, err := run(op(3)+"\n{nonsense\n", "append", url, "s")
	if err == nil || !strings.Contains(stderr, "line 2") || !strings.HasPrefix(stdout, "3 ") {
		t.Fatalf("%v %q %q", err, stdout, stderr)
	}
}

// An event that breaks off is none: it comes whole when tail has connected again. Another log in the place of the first ends it.
func TestTailOverABrokenLine(t *testing.T) {
	entry := func(n int) string { return fmt.Sprintf("event: entry\nid: %d\ndata: {\"index\":%d}\n\n", n, n) }
	connections := 0
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept") != "text/event-stream" {
			epoch := "e90c0000-0000-4000-8000-00000000000" + fmt.Sprint(connections/2)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"chain":"0000000000000000","epoch":"%s","head":5,"stream":"s"}`, epoch)
			return
		}
		connections++
		w.Header().Set("Content-Type", "text/event-stream")
		if connections == 1 {
			io.WriteString(w, entry(1)+entry(2)+"event: entry\nid: 3\nda")
			return
		}
		if after := r.URL.Query().Get("after"); after != "2" {
			t.Errorf("it asks for what comes after %s", after)
		}
		io.WriteString(w, entry(3)+entry(4))
	}))
	defer h.Close()
	stdout, stderr, err := run("", "tail", h.URL, "s")
	want := `{"index":1}
{"index":2}
{"index":3}
{"index":4}
`
	if err == nil || stdout != want || !strings.Contains(stderr, "another log") {
		t.Fatalf("%v\n%s\n%s", err, stdout, stderr)
	}
}

// Without authentication, a name that is not the machine's own is not answered to.
func TestWithoutAuthenticationOnlyLocalhost(t *testing.T) {
	_, url := start(t, "--data", t.TempDir())
	for host, want := range map[string]int{"": 200, "localhost:1": 200, "[::1]:80": 200, "127.0.0.1": 200, "evil.example": 421, "evil.example:8080": 421, "10.0.0.1": 421} {
		req, err := http.NewRequest(http.MethodGet, url+"/v1/streams", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q: %d", host, resp.StatusCode)
		}
	}
}

func TestLogOfAnObject(t *testing.T) {
	_, url := start(t, "--data", t.TempDir())
	const id = "0b1ec700-0000-4000-8000-000000000001"
	if _, errs, err := run(op(1)+"\n"+op(2)+"\n"+`{"op":"update","object":"`+id+`","set":{"n":5}}`+"\n"+`{"op":"remove","object":"`+id+`"}`+"\n", "append", url, "s"); err != nil {
		t.Fatal(err, errs)
	}
	out, errs, err := run("", "log", url, "s", "--object", id)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || errs != "" || len(lines) != 3 || !strings.Contains(lines[0], `"kind":"create"`) || !strings.Contains(lines[1], `"changed":["n"]`) || !strings.Contains(lines[2], `"kind":"remove"`) {
		t.Errorf("%v %s\n%s", err, errs, out)
	}
	for _, args := range [][]string{{"log", url, "s"}, {"log", url, "s", "--object", "x"}} {
		if _, errs, err := run("", args...); err == nil || !strings.Contains(errs, "--object") {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
}
