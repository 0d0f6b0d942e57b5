package web

import (
	"context"
	"errors"
	"net/http"
	"time"
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

// Follow answers with server-sent events, until a right, the token (at until; zero: never), the server or the feed ends.
func (s *Host) Follow(w http.ResponseWriter, r *http.Request, until time.Time, f *Feed) error {
	c := &connection{s: s, r: r, work: WorkOf(r.Context()), w: w, ctl: http.NewResponseController(w), feed: f}
	if err := c.begin(until); err != nil {
		return err
	}
	defer c.end()
	for c.send() && c.err == nil && (c.more || c.wait()) {
		c.next()
		if over(c.ends, s.Done) || !f.Allowed() { // after the look: what came when the right was gone is not told
			break
		}
	}
	return nil
}

// connection is one that events go over. It is not on the stack of the goroutine that waits: there are many.
type connection struct {
	s    *Host
	r    *http.Request
	work *Work
	w    http.ResponseWriter
	ctl  *http.ResponseController
	feed *Feed
	text []byte // that is to be sent
	more bool   // and whether there is more
	err  error  // of the feed, after which nothing comes
	beat *time.Ticker
	ends <-chan time.Time // when the token does; nil: never
	last *time.Timer      // of ends
}

// begin has the first events, or the error that is the request's answer.
func (c *connection) begin(until time.Time) error {
	c.text, c.more, c.err = c.feed.Next(c.r.Context())
	if c.err != nil && !errors.Is(c.err, ErrEnded) {
		return c.err
	}
	if len(c.text) == 0 {
		c.text = quiet // so that it is known to be open
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
	c.beat = time.NewTicker(heartbeat)
	if !until.IsZero() {
		c.last = time.NewTimer(until.Sub(c.s.Now()))
		c.ends = c.last.C
	}
	return nil
}

// quiet is a comment, which says that the connection is there.
var quiet = []byte(":\n\n")

func (c *connection) end() {
	c.beat.Stop()
	if c.last != nil {
		c.last.Stop()
	}
}

// send sends what there is, and tells whether it went.
func (c *connection) send() bool {
	c.work.Pause()
	if len(c.text) == 0 {
		return true
	}
	_ = c.ctl.SetWriteDeadline(time.Now().Add(2 * heartbeat)) // of the server's own, which is for whole answers
	_, err := c.w.Write(c.text)
	c.text = nil
	return err == nil && c.ctl.Flush() == nil
}

// wait waits until there may be something, and tells whether the connection goes on.
func (c *connection) wait() bool {
	for {
		select {
		case <-c.feed.Wake:
			return true
		case <-c.beat.C:
			if c.text = quiet; !c.feed.Allowed() || !c.send() {
				return false
			}
		case <-c.ends:
			return false
		case <-c.s.Done:
			return false
		case <-c.r.Context().Done():
			return false
		}
	}
}

// next has the next events.
func (c *connection) next() {
	ctx := c.r.Context()
	if !c.feed.Little {
		if c.err = c.work.Resume(ctx); c.err != nil {
			return
		}
	}
	c.text, c.more, c.err = c.feed.Next(ctx)
	if c.err != nil && ctx.Err() == nil && !errors.Is(c.err, ErrEnded) {
		c.s.Log.Error("events break off", "route", RouteOf(c.r.URL.Path), "error", c.err)
	}
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
