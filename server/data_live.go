package server

import (
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
)

// Times of live reads.
const (
	dataPoll = 4 * time.Second  // that a long poll waits; the conformance suite does not wait for 5
	dataTail = 60 * time.Second // that server-sent events go on before the client asks again
)

// cursor tells intervals of 20 seconds apart, so that no cache answers for ever; one that goes on from a client's is above it.
func (s *Server) cursor(given string) string {
	const interval = 20
	epoch := time.Date(2024, 10, 9, 0, 0, 0, 0, time.UTC)
	now := uint64(max(0, s.Now().Sub(epoch)) / (interval * time.Second))
	if last, ok := integer(given); ok && last >= now {
		now = last + max(1, rand.Uint64N(3600)/interval)
	}
	return strconv.FormatUint(now, 10)
}

// dataWatchers are those who wait for data streams, by name. A name costs something only while somebody waits.
type dataWatchers struct {
	watchers
	users int // guarded by Server.mu
}

// watchData lets wake know of every move of a data stream until stop.
func (s *Server) watchData(name string, wake chan struct{}) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.data[name]
	if at == nil {
		at = new(dataWatchers)
		s.data[name] = at
	}
	at.users++
	at.watch(wake)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		at.unwatch(wake)
		if at.users--; at.users == 0 {
			delete(s.data, name)
		}
	}
}

// dataMoved tells of a data stream that it was made, appended to, closed or deleted.
func (s *Server) dataMoved(name string) {
	s.mu.Lock()
	at := s.data[name]
	s.mu.Unlock()
	if at != nil {
		at.announce(0)
	}
}

// pollData answers as soon as there is something behind the offset, or the time is over.
func (s *Server) pollData(w http.ResponseWriter, r *http.Request, p Principal, name string, q dataQuery) error {
	wake := make(chan struct{}, 1)
	defer s.watchData(name, wake)() // before the look, so that no move is missed
	wait := min(dataPoll, s.MaxWait)
	if !p.Until.IsZero() {
		wait = max(0, min(wait, p.Until.Sub(s.Now())))
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // nothing more is read
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	used := false
	for over := false; ; {
		now := s.Now().UnixMilli()
		pg, err := s.readPage(r.Context(), name, q, now)
		if err != nil {
			return err
		}
		if !used {
			s.usedData(name, pg, now)
			used = true
		}
		if pg.from.bytes < pg.to.bytes {
			s.writePage(w, r, p, q, pg)
			return nil
		}
		if pg.closed() || over {
			h := w.Header()
			h.Set("Stream-Next-Offset", pg.to.String())
			h.Set("Stream-Up-To-Date", "true")
			h.Set("Strandline-Head", strconv.FormatUint(pg.stream.Head, 10))
			h.Set("Cache-Control", "no-store")
			if pg.closed() {
				h.Set("Stream-Closed", "true")
			} else {
				h.Set("Stream-Cursor", s.cursor(q.cursor))
			}
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		if q.offset == "now" { // from the tail as it was then
			q.offset = pg.to.String()
		}
		select {
		case <-wake:
			if !s.Auth.Allow(p, name, Read) {
				return errForbidden
			}
		case <-timeout.C:
			over = true
		case <-s.done:
			over = true
		case <-r.Context().Done():
			return nil
		}
	}
}

// tailData gives a data stream as events: its bytes, and after each of them where they end.
func (s *Server) tailData(w http.ResponseWriter, r *http.Request, p Principal, name string, q dataQuery) error {
	wake := make(chan struct{}, 1)
	defer s.watchData(name, wake)()
	now := s.Now().UnixMilli()
	pg, err := s.readPage(r.Context(), name, q, now)
	if err != nil {
		return err
	}
	s.usedData(name, pg, now)
	w.Header().Set("Cache-Control", "no-cache, no-store") // readers of the protocol look for the first
	if !pg.meta.isText() {
		w.Header().Set("Stream-SSE-Data-Encoding", "base64")
	}
	e := s.newSSE(w, p)
	defer e.stop()
	ends := time.AfterFunc(dataTail, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer ends.Stop()
	begun := time.Now()
	allowed := func() bool { return s.Auth.Allow(p, name, Read) }
	id := pg.stream.ID
	for first := true; ; first = false {
		if s.over(e) || !allowed() {
			return nil
		}
		var text []byte
		if pg.from.bytes < pg.to.bytes {
			text = appendData(text, pg)
		}
		if first || len(text) > 0 || pg.closed() {
			text = s.appendControl(text, pg, q.cursor)
			if err := e.send(text); err != nil || pg.closed() {
				return nil
			}
		}
		q.offset = pg.to.String()
		if pg.upToDate() {
			if time.Since(begun) >= dataTail {
				return nil
			}
			if err := s.next(r.Context(), e, wake, allowed); err != nil {
				return nil
			}
		}
		if pg, err = s.readPage(r.Context(), name, q, s.Now().UnixMilli()); err != nil || pg.stream.ID != id {
			if action.CodeOf(err) == action.CodeInternal && r.Context().Err() == nil {
				s.Log.Error("a tail failed", "stream", hashed(name), "error", err)
			}
			return nil
		}
	}
}

// appendData writes the event with a page's bytes.
func appendData(b []byte, pg *page) []byte {
	b = append(b, "event: data\n"...)
	body := string(pg.body)
	if !pg.meta.isText() {
		body = base64.StdEncoding.EncodeToString(pg.body)
	}
	// Every end of a line that a reader of events knows begins a line here, so that no text is taken for a field.
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body), "\n") {
		b = append(b, "data:"...)
		if strings.HasPrefix(line, " ") { // readers take one space away
			b = append(b, ' ')
		}
		b = append(append(b, line...), '\n')
	}
	return append(b, '\n')
}

// appendControl writes the event that tells where a page ends.
func (s *Server) appendControl(b []byte, pg *page, cursor string) []byte {
	b = append(append(append(b, "event: control\ndata:{\"streamNextOffset\":\""...), pg.to.String()...), '"')
	if pg.closed() {
		b = append(b, `,"streamClosed":true`...)
	} else {
		b = append(append(append(b, `,"streamCursor":"`...), s.cursor(cursor)...), '"')
	}
	if pg.upToDate() {
		b = append(b, `,"upToDate":true`...)
	}
	return append(b, "}\n\n"...)
}
