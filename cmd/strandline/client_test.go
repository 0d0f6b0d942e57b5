package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
	select {
	case line := <-lines:
		return line
	case <-time.After(20 * time.Second):
		t.Fatal("no line in 20 seconds")
		return ""
	}
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
