// Package datasim runs histories of data streams: the script's own queue, cache and streams (js/src/data) in Node, on virtual time and over its
// memory store, several contexts of several profiles of one server, which is the real one's handler on the same clock.
package datasim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

var (
	seed      = flag.Int("seed", 0, "of the first history")
	histories = flag.Int("histories", 250, "how many")
	only      = flag.Bool("trace", false, "write down what happens in the first history")
)

// TestDataHistories runs them.
func TestDataHistories(t *testing.T) {
	out, err := run(t, *seed, *histories, *only, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// call is what Node asks for: a request of the server, or, without a method, another server.
type call struct {
	Now     int64
	Method  string
	Path    string
	Headers map[string]string
	Body    []byte
	Fresh   bool // with nothing in it; else over what there was
}

type answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    []byte            `json:"body"`
}

// run runs so many histories from a seed on, with the sources as plugins change them, and gives what Node says of them.
func run(t *testing.T, seed, n int, trace bool, plugins []api.Plugin) (out []byte, err error) {
	script := filepath.Join(t.TempDir(), "datasim.mjs")
	r := api.Build(api.BuildOptions{EntryPoints: []string{"main.ts"}, Outfile: script, Bundle: true, Format: api.FormatESModule, Platform: api.PlatformNode,
		Target: api.ES2022, Sourcemap: api.SourceMapInline, Write: true, Plugins: plugins})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors[0].Text)
	}
	cmd := exec.Command("node", "--enable-source-maps", script, strconv.Itoa(seed), strconv.Itoa(n), strconv.FormatBool(trace))
	var said bytes.Buffer
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	asked, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (make npm installs Node)", err)
	}
	serve(t, asked, in)
	err = cmd.Wait()
	return said.Bytes(), err
}

// judge refuses what says of itself that it is bad.
func judge(_ context.Context, e *server.JudgedEntry) error {
	if bytes.Contains(e.Body, []byte(`"bad":true`)) {
		return errors.New("that is bad")
	}
	return nil
}

// serve answers Node until it has ended.
func serve(t *testing.T, asked io.Reader, in io.Writer) {
	var now int64
	var s *server.Server
	engine := memory.New()
	ids := virtual.New(1).Host()
	begin := func() {
		s = server.New(server.Config{Engine: engine, Auth: server.None(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Now: func() time.Time { return time.UnixMilli(now) }, NewID: ids.NewID, ValidateData: judge, Rate: 1e9, Burst: 1e9, Background: func(f func()) { f() }})
	}
	begin()
	lines := bufio.NewReaderSize(asked, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			s.Close()
			return
		}
		var c call
		if err := json.Unmarshal(line, &c); err != nil {
			t.Errorf("%v: %.200s", err, line)
			return
		}
		now = c.Now
		var a answer
		if c.Method == "" {
			s.Close()
			if c.Fresh {
				engine = memory.New()
			}
			begin()
		} else {
			req := httptest.NewRequest(c.Method, "http://127.0.0.1/v1"+c.Path, bytes.NewReader(c.Body))
			for name, value := range c.Headers {
				req.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, req)
			a = answer{w.Code, map[string]string{}, w.Body.Bytes()}
			for name := range w.Header() {
				a.Headers[name] = w.Header().Get(name)
			}
		}
		b, _ := json.Marshal(a)
		if _, err := fmt.Fprintf(in, "%s\n", b); err != nil {
			s.Close()
			return
		}
	}
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
