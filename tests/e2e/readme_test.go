package e2e

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"net/http"

	"github.com/strandline-sync/strandline/tests/patience"
)

// blocks gives the fenced blocks of a document with an info string.
func blocks(t *testing.T, doc, info string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, doc))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+regexp.QuoteMeta(info)+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) == 0 {
		t.Fatalf("%s has no block %q", doc, info)
	}
	return out
}

// The README's snippets run as they stand there, served by the command that it gives.
func TestReadmeSnippets(t *testing.T) {
	t.Parallel()
	html, js := blocks(t, "README.md", "html run")[0], blocks(t, "README.md", "js run")
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "site"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"index.html": page(html),
		"module.html": page(`<script type="module">` + strings.Join(js, "\n") +
			"\nwindow.data = async () => [messages, await files.settled(), (await (await fetch('/v1/data/files')).text())];\nwindow.out = [row, open_.length, all, state, index, pending, next];</script>"),
	} {
		if err := os.WriteFile(filepath.Join(dir, "site", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	serve := strings.Fields(blocks(t, "README.md", "sh serve")[0]) // bin/strandline and what it is told
	url := program(t, dir, append(serve[1:], "--addr", "127.0.0.1:0")...)
	b := openBrowser(t, t.TempDir())
	one := b.open(url + "/")
	one.eventually(`"Buy milk"`, `return document.body.textContent.trim()`)
	two := b.open(url + "/module.html")
	two.eventually(`true`, `return window.out !== undefined`)
	two.want(`["Learn to sail!",true,1,["sea"],1,2]`, `const [row, open, all, state, index] = out; return [row.title, row.done, row.votes, row.tags, open, all]`)
	two.want(`true`, `return typeof out[4] === "number" && out[4] > 0`)
	two.eventually(`[[{"text":"I am on the ferry"}],null,"a picture"]`, `return data()`)
	if len(*one.console)+len(*two.console) > 0 {
		t.Fatal(*one.console, *two.console)
	}
}

// The shell commands of the guide to data streams do what it says.
func TestDataCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(blocks(t, "docs/DATA.md", "sh run")[0], "http://127.0.0.1:8080", s.url))
	if out, err := cmd.Output(); err != nil || string(out) != `[{"text":"hello"}]` {
		t.Fatalf("%v: it printed %s", err, out)
	}
}

// The README's shell commands do what it says, against a server at the address that it names.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := strings.ReplaceAll(blocks(t, "README.md", "sh run")[0], "http://127.0.0.1:8080", s.url)
	cmd := exec.Command("sh", "-c", text+"wait") // tail goes on until it is ended
	cmd.Dir = root
	printed, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = printed, printed
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
		printed.Close()
	})
	patience.Until(t, "the entry from tail, and its index from append", func() (string, bool) {
		b, err := os.ReadFile(printed.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(b), strings.Count(string(b), "From a shell") == 1 && strings.Contains("\n"+string(b), "\n1 ")
	})
	if n := strings.Count(s.log("lists/42"), "From a shell"); n != 1 {
		t.Fatalf("the log has it %d times", n)
	}
}

// The guides' snippets run as they stand there.
func TestGuides(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	for i, js := range slices.Concat(blocks(t, "docs/OFFLINE.md", "js run"), blocks(t, "docs/CONFLICTS.md", "js run"), blocks(t, "docs/BUNDLES.md", "js run")) {
		file := fmt.Sprintf("guide-%d.html", i)
		if err := os.WriteFile(filepath.Join(webRoot, file), []byte(page(`<script type="module">`+js+"\nwindow.out = true;</script>")), 0o644); err != nil {
			t.Fatal(err)
		}
		tb := b.open(s.url + "/" + file)
		tb.eventually(`true`, `return window.out === true`)
		if len(*tb.console) > 0 {
			t.Fatal(*tb.console)
		}
	}
	top := filepath.Join(root, "tests", "e2e", "guide.tmp")
	defer os.RemoveAll(top)
	programs := append(blocks(t, "docs/SERVER.md", "go run"), blocks(t, "README.md", "go run")...)
	if len(programs) != 3 {
		t.Errorf("%d programs in Go", len(programs))
	}
	for i, program := range programs {
		dir := filepath.Join(top, fmt.Sprint("p", i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "vet", "./tests/e2e/guide.tmp/...")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// make demo, the README's first command, ends in a page that is served.
func TestMakeDemo(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("make", "demo", "ADDR=127.0.0.1:0", "DATA="+t.TempDir())
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	defer func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		patience.Receive(t, "make demo to stop", stopped)
	}()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "strandline: "); ok {
			go func() { stopped <- cmd.Wait() }()
			resp, err := http.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Fatalf("%s: %d", url, resp.StatusCode)
			}
			return
		}
	}
	t.Fatal("make demo named no URL")
}
