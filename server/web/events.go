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
}

// Follow answers with server-sent events, until a right, the token, the server or the feed ends.
func (s *Host) Follow(w http.ResponseWriter, r *http.Request, p rights.Principal, f Feed) error {
	ctx := r.Context()
	work := WorkOf(ctx)
	text, more, err := f.Next(ctx)
	if err != nil && !errors.Is(err, ErrEnded) {
		return err
	}
	work.Keep(nil) // what was asked is done with
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("X-Accel-Buffering", "no") // a proxy that gathers what it passes on would gather the hints
	ctl := http.NewResponseController(w)
	_ = ctl.SetReadDeadline(time.Time{}) // nothing more is read; a deadline that passes would end the request
	w.WriteHeader(http.StatusOK)
	var ends <-chan time.Time
	if !p.Until.IsZero() {
		t := time.NewTimer(p.Until.Sub(s.Now()))
		defer t.Stop()
		ends = t.C
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	send := func(text []byte) error {
		work.Pause()
		_ = ctl.SetWriteDeadline(time.Now().Add(2 * heartbeat)) // of the server's own, which is for whole answers
		if _, err := w.Write(text); err != nil {
			return err
		}
		return ctl.Flush()
	}
	if len(text) == 0 {
		text = []byte(":\n\n") // so that it is known to be open
	}
	for {
		if len(text) > 0 {
			if send(text) != nil {
				return nil
			}
		}
		if err != nil {
			return nil
		}
		work.Pause()
		for wait := !more; wait; {
			select {
			case <-f.Wake:
				wait = false
			case <-beat.C:
				if !f.Allowed() || send([]byte(":\n\n")) != nil {
					return nil
				}
			case <-ends:
				return nil
			case <-s.Done:
				return nil
			case <-ctx.Done():
				return nil
			}
		}
		if work.Resume(ctx) != nil {
			return nil
		}
		text, more, err = f.Next(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, ErrEnded) {
			s.Log.Error("events break off", "route", RouteOf(r.URL.Path), "error", err)
		}
		if over(ends, s.Done) || !f.Allowed() { // after the look: what came when the right was gone is not told
			return nil
		}
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
