package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// site is one origin: a proxy on a port of its own that stays, and a server process behind it that may die. The origin
// is what a browser's databases belong to.
type site struct {
	t      *testing.T
	url    string
	data   string
	args   []string // of serve, beside address, data and files
	target *url.URL

	mu    sync.Mutex
	cmd   *exec.Cmd
	fault func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool
	at    string // the path that the fault is on
	syncs int
	heard int // connections for hints that are open
}

func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	s := &site{t: t, data: t.TempDir(), args: args}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + l.Addr().String()
	sites.Store(s.url, true)
	h := &http.Server{Handler: http.HandlerFunc(s.serve)}
	go h.Serve(l)
	t.Cleanup(func() {
		h.Close()
		s.kill()
	})
	s.start()
	return s
}

// start runs a server process over the site's data.
func (s *site) start() {
	s.t.Helper()
	cmd := exec.Command(serverBin, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", s.data, "--static", webRoot}, s.args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n') // it starts, or ends
	if err != nil {
		s.t.Fatalf("the server said nothing: %v", err)
	}
	target, err := url.Parse(strings.TrimSpace(strings.TrimPrefix(line, "strandline: ")))
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.cmd, s.target = cmd, target
	s.mu.Unlock()
}

// kill ends the server process as a power cut would end it, as far as a process can tell.
func (s *site) kill() {
	s.mu.Lock()
	cmd := s.cmd
	s.cmd = nil
	s.mu.Unlock()
	if cmd != nil {
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
	}
}

// setFault puts a fault between the browsers and /v1/sync, or another path, or all of /v1 where it is empty, or everything at *: it answers, or gives false to let the request pass.
func (s *site) setFault(f func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool) {
	s.setFaultAt("/v1/sync", f)
}

func (s *site) setFaultAt(path string, f func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.at = f, path
}

// listeners is how many connections for hints are open.
func (s *site) listeners() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard
}

func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	target, fault := s.target, s.fault
	switch r.URL.Path {
	case "/v1/sync":
		s.syncs++
	case "/v1/events":
		s.heard++
		defer func() {
			s.mu.Lock()
			s.heard--
			s.mu.Unlock()
		}()
	}
	here := r.URL.Path == s.at || s.at == "*" || s.at == "" && strings.HasPrefix(r.URL.Path, "/v1/")
	s.mu.Unlock()
	if fault != nil && here {
		forward := func() *http.Response {
			out := r.Clone(r.Context())
			out.URL.Scheme, out.URL.Host, out.RequestURI = "http", target.Host, ""
			out.Header.Del("Accept-Encoding")
			resp, err := http.DefaultTransport.RoundTrip(out)
			if err != nil {
				return nil
			}
			return resp
		}
		if fault(w, r, forward) {
			return
		}
	}
	if isAway(r) {
		hangUp(w)
		return
	}
	p := httputil.NewSingleHostReverseProxy(target)
	injected(p, r)
	p.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { hangUp(w) }
	p.ServeHTTP(w, r)
}

// hangUp cuts the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		c.Close()
	}
}

// get reads what curl would.
func (s *site) get(path string) string {
	s.t.Helper()
	resp, err := http.Get(s.target.String() + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// log reads a stream's log from the server, as curl does.
func (s *site) log(stream string) string { return s.logAfter(stream, 0) }

func (s *site) logAfter(stream string, index int) string {
	s.t.Helper()
	resp, err := http.Get(fmt.Sprintf("%s/v1/log?stream=%s&after=%d", s.url, url.QueryEscape(stream), index))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		s.t.Fatalf("the log: %d, %v, %s", resp.StatusCode, err, b)
	}
	return string(b)
}
