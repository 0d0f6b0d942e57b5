package data

import (
	"context"
	"sync"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/web"
)

// waiters are those who wait for a data stream. A name costs something only while somebody waits.
type waiters struct {
	web.Watchers
	users int // guarded by Streams.mu

	mu   sync.Mutex
	tail string // where it ended after so many moves
	at   int
}

// Watch lets wake know of every move of a data stream until stop.
func (s *Streams) Watch(name string, wake chan struct{}) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.waiting[name]
	if at == nil {
		at = &waiters{at: -1}
		s.waiting[name] = at
	}
	at.users++
	at.Watch(wake)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		at.Unwatch(wake)
		if at.users--; at.users == 0 {
			delete(s.waiting, name)
		}
	}
}

// moved tells of a data stream that it was made, appended to, closed or deleted.
func (s *Streams) moved(name string) {
	s.mu.Lock()
	at := s.waiting[name]
	s.mu.Unlock()
	if at != nil {
		at.Announce(0)
	}
}

// Tail is where a data stream that somebody watches ends, with a slash behind it where it is closed; "-" where there is none. However many
// wait for it, the engine is asked once for each move.
func (s *Streams) Tail(ctx context.Context, name string) (string, error) {
	s.mu.Lock()
	w := s.waiting[name]
	s.mu.Unlock()
	if w == nil {
		return s.tailNow(ctx, name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, moves := w.Last() // before the look: a move meanwhile is looked at again
	if w.at == moves {
		return w.tail, nil
	}
	tail, err := s.tailNow(ctx, name)
	if err == nil {
		w.tail, w.at = tail, moves
	}
	return tail, err
}

func (s *Streams) tailNow(ctx context.Context, name string) (tail string, err error) {
	err = s.engine.ViewData(ctx, func(tx engine.DataTx) error {
		d, m, err := s.find(tx, name, s.Now().UnixMilli())
		if code := action.CodeOf(err); code == action.CodeNotFound || code == action.CodeGone {
			tail = "-"
			return nil
		}
		if err != nil {
			return err
		}
		segs, err := segments(tx, d)
		if err != nil {
			return err
		}
		if tail = tailOf(segs).String(); m.Closed {
			tail += "/"
		}
		return nil
	})
	return tail, err
}
