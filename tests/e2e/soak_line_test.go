//go:build soak

package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// badLine carries requests at 2 KB/s both ways, 5 s late, and breaks every fifth: before the server has heard, or on the way back.
type badLine struct {
	sent, broken, bytes atomic.Int64
}

const (
	lineRate    = 2 << 10
	lineLatency = 5 * time.Second
)

// flow copies at the line's rate, and stops after so many bytes.
func (l *badLine) flow(w io.Writer, r io.Reader, most int64) error {
	b := make([]byte, lineRate/4)
	for {
		n, err := r.Read(b[:min(int64(len(b)), most)])
		l.bytes.Add(int64(n))
		if most -= int64(n); n > 0 {
			time.Sleep(time.Duration(n) * time.Second / lineRate)
			if _, err := w.Write(b[:n]); err != nil {
				return err
			}
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		}
		if err != nil || most <= 0 {
			return err
		}
	}
}

func (l *badLine) carry(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
	if r.URL.Path == "/v1/events" {
		return false
	}
	l.sent.Add(1)
	const whole = 1 << 40
	up, down := int64(whole), int64(whole)
	if rand.IntN(5) == 0 {
		l.broken.Add(1)
		if rand.IntN(2) == 0 {
			up = rand.Int64N(10 << 10)
		} else {
			down = rand.Int64N(60 << 10)
		}
	}
	time.Sleep(lineLatency / 2)
	var body strings.Builder
	if err := l.flow(&body, r.Body, up); err != io.EOF {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(strings.NewReader(body.String()))
	resp := forward()
	if resp == nil {
		panic(http.ErrAbortHandler)
	}
	defer resp.Body.Close()
	time.Sleep(lineLatency / 2)
	for k, v := range resp.Header {
		if k != "Content-Length" {
			w.Header()[k] = v
		}
	}
	w.WriteHeader(resp.StatusCode)
	if err := l.flow(w, resp.Body, down); err != io.EOF {
		panic(http.ErrAbortHandler)
	}
	return true
}

// Over the worst line that everything has to arrive over, it does: 600 rows one way, 300 small writes the other.
func TestABadLine(t *testing.T) {
	s := newSite(t)
	good := openBrowser(t, t.TempDir()).open(s.url)
	good.start("")
	good.do(`for (let i = 0; i < 600; i++) s.create("row", {n: i, text: "x".repeat(300)}); await s.settled()`)

	bad := openBrowser(t, t.TempDir()).open(s.url)
	line := &badLine{}
	bad.do(`while (!window.strandline) await new Promise((r) => setTimeout(r, 10))`) // the page itself has come
	s.setFaultAt("", line.carry)
	begun := time.Now()
	bad.start(`{timers: {}}`)
	bad.do(`window.writes = []; for (let i = 0; i < 300; i++) { writes.push(s.create("small", {n: i})); await new Promise((r) => setTimeout(r, 100)) }`)
	for {
		rows := bad.do(`return [s.count({type: "row"}), s.count({type: "small"}), s.status.pending]`)
		if rows == `[600,300,0]` {
			break
		}
		if time.Since(begun) > 40*time.Minute {
			t.Fatalf("%s after %v: %d requests, %d broken, %d KiB; %s", rows, time.Since(begun), line.sent.Load(), line.broken.Load(), line.bytes.Load()>>10,
				bad.do(`return s.status`))
		}
		time.Sleep(5 * time.Second)
	}
	t.Logf("%v: %d requests, %d broken, %d KiB", time.Since(begun).Round(time.Second), line.sent.Load(), line.broken.Load(), line.bytes.Load()>>10)
	s.setFaultAt("", nil)
	good.eventually(fmt.Sprint(300), `return s.count({type: "small"})`)
	bad.want(`300`, `return new Set(s.query({type: "small"}).map((r) => r.n)).size`)
}
