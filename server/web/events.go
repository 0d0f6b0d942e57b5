package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/strandline-sync/strandline/server/rights"
)

// heartbeat is how often a comment keeps a quiet connection alive, and rights are looked at again.
const heartbeat = 25 * time.Second

// ErrEnded ends an answer of events in good order.
var ErrEnded = errors.New("the events end")

// Feed is what an answer of server-sent events is made of.
type Feed struct {
	// Next gives the next events, where there are any; more tells that it is to be asked again at once. Its first error is the request's answer;
	// before its first return it may set headers. A later error ends the events.
	Next func(ctx context.Context) (text []byte, more bool, err error)
	// Wake tells that Next may have something. Allowed is asked again and again: where it says no, nothing more is told.
	Wake    <-chan struct{}
	Allowed func() bool
	// Little says that Next only looks at memory: it waits for no processor, and many may be woken at once.
	Little bool
}

// Follow answers with server-sent events, until a right, the token, the server or the feed ends.
func (s *Host) Follow(w http.ResponseWriter, r *http.Request, p rights.Principal, f Feed) error {
	c := &connection{s: s, ctx: r.Context(), work: WorkOf(r.Context()), w: w, ctl: http.NewResponseController(w), feed: f}
	text, more, err := f.Next(c.ctx)
	if err != nil && !errors.Is(err, ErrEnded) {
		return err
	}
	c.begin(p.Until)
	defer c.end()
	if len(text) == 0 {
		text = []byte(":\n\n") // so that it is known to be open
	}
	for c.send(text) && err == nil && (more || c.wait()) {
		text, more, err = c.next(RouteOf(r.URL.Path))
		if over(c.ends, s.Done) || !f.Allowed() { // after the look: what came when the right was gone is not told
			break
		}
	}
	return nil
}

// connection is one that events go over. It is not on the stack of the goroutine that waits: there are many.
type connection struct {
	s    *Host
	ctx  context.Context
	work *Work
	w    http.ResponseWriter
	ctl  *http.ResponseController
	feed Feed
	beat *time.Ticker
	ends <-chan time.Time // when the token does; nil: never
	last *time.Timer      // of ends
}

func (c *connection) begin(until time.Time) {
	c.beat = time.NewTicker(heartbeat)
	if !until.IsZero() {
		c.last = time.NewTimer(until.Sub(c.s.Now()))
		c.ends = c.last.C
	}
	c.work.Keep(nil) // what was asked is done with
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("X-Accel-Buffering", "no")       // a proxy that gathers what it passes on would gather the hints
	_ = c.ctl.SetReadDeadline(time.Time{}) // nothing more is read; a deadline that passes would end the request
	c.w.WriteHeader(http.StatusOK)
}

func (c *connection) end() {
	c.beat.Stop()
	if c.last != nil {
		c.last.Stop()
	}
}

func (c *connection) send(text []byte) bool {
	c.work.Pause()
	if len(text) == 0 {
		return true
	}
	_ = c.ctl.SetWriteDeadline(time.Now().Add(2 * heartbeat)) // of the server's own, which is for whole answers
	if _, err := c.w.Write(text); err != nil {
		return false
	}
	return c.ctl.Flush() == nil
}

// wait waits until there may be something, and tells whether the connection goes on.
func (c *connection) wait() bool {
	for {
		select {
		case <-c.feed.Wake:
			return true
		case <-c.beat.C:
			if !c.feed.Allowed() || !c.send([]byte(":\n\n")) {
				return false
			}
		case <-c.ends:
			return false
		case <-c.s.Done:
			return false
		case <-c.ctx.Done():
			return false
		}
	}
}

// next gives the next events.
func (c *connection) next(route string) (text []byte, more bool, err error) {
	if !c.feed.Little {
		if err := c.work.Resume(c.ctx); err != nil {
			return nil, false, err
		}
	}
	text, more, err = c.feed.Next(c.ctx)
	if err != nil && c.ctx.Err() == nil && !errors.Is(err, ErrEnded) {
		c.s.Log.Error("events break off", "route", route, "error", err)
	}
	return text, more, err
}

func over(ends <-chan time.Time, done <-chan struct{}) bool {
	select {
	case <-ends:
		return true
	case <-done:
		return true
	default:
		return false
	}
}
