package data

import (
	"context"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/rights"

	"github.com/strandline-sync/strandline/server/web"
)

// Times of live reads.
const (
	pollTime = 4 * time.Second  // that a long poll waits; the conformance suite does not wait for 5
	tailTime = 60 * time.Second // that server-sent events go on before the client asks again
)

// cursor tells intervals of 20 seconds apart, so that no cache answers for ever; one that goes on from a client's is above it.
func (s *Streams) cursor(given string) string {
	const interval = 20
	epoch := time.Date(2024, 10, 9, 0, 0, 0, 0, time.UTC)
	now := uint64(max(0, s.Now().Sub(epoch)) / (interval * time.Second))
	if last, ok := integer(given); ok && last >= now {
		now = last + max(1, rand.Uint64N(3600)/interval)
	}
	return strconv.FormatUint(now, 10)
}

// poll answers as soon as there is something behind the offset, or the time is over.
func (s *Streams) poll(w http.ResponseWriter, r *http.Request, p rights.Principal, name string, q query) error {
	wake := make(chan struct{}, 1)
	defer s.Watch(name, wake)() // before the look, so that no move is missed
	used := false
	return s.Poll(w, r, p, pollTime, wake, s.mayRead(p, name), func(over bool) (bool, error) {
		now := s.Now().UnixMilli()
		pg, err := s.readPage(r.Context(), name, q, now)
		if err != nil {
			return false, err
		}
		if !used {
			s.note(name, pg, now)
			used = true
		}
		if pg.from.bytes < pg.to.bytes {
			s.writePage(w, r, p, q, pg)
			return true, nil
		}
		if pg.closed() || over {
			s.writeNothing(w, q, pg)
			return true, nil
		}
		if q.offset == "now" { // from the tail as it was then
			q.offset = pg.to.String()
		}
		return false, nil
	})
}

func (s *Streams) mayRead(p rights.Principal, name string) func() bool {
	return func() bool { return s.Auth.Allow(p, name, rights.Read) }
}

// writeNothing says that there is nothing behind the offset.
func (s *Streams) writeNothing(w http.ResponseWriter, q query, pg *page) {
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
}

// tail gives a data stream as events: its bytes, and after each of them where they end.
func (s *Streams) tail(w http.ResponseWriter, r *http.Request, p rights.Principal, name string, q query) error {
	wake := make(chan struct{}, 1)
	defer s.Watch(name, wake)()
	ends := time.AfterFunc(tailTime, func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	})
	defer ends.Stop()
	begun, id, ended := time.Now(), uint64(0), false
	return s.Follow(w, r, p.Until, &web.Feed{Wake: wake, Allowed: s.mayRead(p, name), Next: func(ctx context.Context) ([]byte, bool, error) {
		now := s.Now().UnixMilli()
		pg, err := s.readPage(ctx, name, q, now)
		first := id == 0
		switch code := action.CodeOf(err); {
		case ended, !first && (code == action.CodeNotFound || code == action.CodeGone), err == nil && !first && pg.stream.ID != id:
			return nil, false, web.ErrEnded
		case err != nil:
			return nil, false, err
		}
		if first {
			id = pg.stream.ID
			s.note(name, pg, now)
			w.Header().Set("Cache-Control", "no-cache, no-store") // readers of the protocol look for the first
			if !pg.meta.isText() {
				w.Header().Set("Stream-SSE-Data-Encoding", "base64")
			}
		}
		var text []byte
		if pg.from.bytes < pg.to.bytes {
			text = appendBytes(text, pg)
		}
		ended = pg.closed() || pg.upToDate() && time.Since(begun) >= tailTime
		if first || len(text) > 0 || pg.closed() {
			text = s.appendControl(text, pg, q.cursor)
		}
		q.offset = pg.to.String()
		return text, ended || !pg.upToDate(), nil
	}})
}

// appendBytes writes the event with a page's bytes.
func appendBytes(b []byte, pg *page) []byte {
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
func (s *Streams) appendControl(b []byte, pg *page, cursor string) []byte {
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
