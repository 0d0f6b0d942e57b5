package data

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/rights"

	"github.com/strandline-sync/strandline/server/web"
)

// query is what a read of a data stream asks for.
type query struct {
	offset  string // "", "-1", "now" or an offset
	live    string // "", "long-poll" or "sse"
	cursor  string
	entries bool // the view of entries
	limit   int
	last    uint64       // entries before the tail to begin at; 0: at offset
	found   *action.UUID // the one entry that is asked for
}

func parseQuery(r *http.Request) (q query, err error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, web.Bad("", "the query cannot be read")
	}
	one := func(name string) (string, bool, error) {
		v, there := values[name]
		if len(v) > 1 {
			return "", true, web.Bad("/"+name, "is given twice")
		}
		if !there {
			return "", false, nil
		}
		return v[0], true, nil
	}
	var there bool
	if q.offset, there, err = one("offset"); err != nil {
		return q, err
	}
	if there && q.offset == "" {
		return q, web.Bad("/offset", "is empty")
	}
	if q.live, _, err = one("live"); err != nil {
		return q, err
	}
	if q.live != "" && q.live != "long-poll" && q.live != "sse" {
		return q, web.Bad("/live", "is long-poll or sse")
	}
	if q.live != "" && !there {
		return q, web.Bad("/offset", "is missing")
	}
	if q.cursor, _, err = one("cursor"); err != nil {
		return q, err
	}
	view, _, err := one("view")
	if err != nil {
		return q, err
	}
	if q.entries = view == "entries"; view != "" && (!q.entries || q.live != "") {
		return q, web.Bad("/view", "is entries, and not live")
	}
	if text, there, err := one("entry"); err != nil {
		return q, err
	} else if there {
		id, ok := action.ParseUUID(text)
		if !ok || q.live != "" {
			return q, web.Bad("/entry", "is a UUID, and not live")
		}
		q.found = &id
	}
	q.limit = 1000
	for name, to := range map[string]func(uint64){"limit": func(n uint64) { q.limit = int(min(n, 1000)) }, "last": func(n uint64) { q.last = n }} {
		text, there, err := one(name)
		if err != nil {
			return q, err
		}
		if !there {
			continue
		}
		n, ok := integer(text)
		if !ok || n == 0 || !q.entries {
			return q, web.Bad("/"+name, "is a whole number from 1, and of the view of entries")
		}
		to(n)
	}
	return q, nil
}

// Get reads a data stream, or tells of it.
func (s *Streams) Get(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	name, err := nameOf(r)
	if err != nil {
		return err
	}
	if !s.Auth.Allow(p, name, rights.Read) {
		return web.ErrForbidden
	}
	now := s.Now().UnixMilli()
	if r.Method == http.MethodHead {
		return s.engine.ViewData(r.Context(), func(tx engine.DataTx) error {
			d, m, err := s.find(tx, name, now)
			if err != nil {
				return err
			}
			segs, err := segments(tx, d)
			if err == nil {
				describe(w.Header(), d, m, tailOf(segs))
			}
			return err
		})
	}
	q, err := parseQuery(r)
	if err != nil {
		return err
	}
	switch q.live {
	case "long-poll":
		return s.poll(w, r, p, name, q)
	case "sse":
		return s.tail(w, r, p, name, q)
	}
	pg, err := s.readPage(r.Context(), name, q, now)
	if err != nil {
		return err
	}
	s.note(name, pg, now)
	s.writePage(w, r, p, q, pg)
	return nil
}

// note notes that a stream was read.
func (s *Streams) note(name string, pg *page, now int64) {
	if !s.use(pg.stream.ID, pg.meta, now) {
		return
	}
	s.Background(func() {
		err := s.update(context.Background(), 1, func(tx engine.DataTx) error {
			d, m, err := s.find(tx, name, now)
			if err != nil || d.ID != pg.stream.ID {
				return err
			}
			m.Used = max(m.Used, now)
			if err := m.write(d); err != nil {
				return err
			}
			return tx.PutData(d)
		})
		if err != nil && !errors.Is(err, engine.ErrClosed) && action.CodeOf(err) != action.CodeNotFound && action.CodeOf(err) != action.CodeGone {
			s.Log.Error("the use of a data stream could not be noted", "error", err)
		}
	})
}

// writePage sends a page. One that never changes may be kept for ever under its offset, where that is of this very stream: the first page has none,
// what a fork inherits has its source's, and a deleted stream's name may be another's one day.
func (s *Streams) writePage(w http.ResponseWriter, r *http.Request, p rights.Principal, q query, pg *page) {
	h := w.Header()
	h.Set("Content-Type", pg.meta.Type)
	if q.entries {
		h.Set("Content-Type", entriesType)
		h.Set("Stream-Content-Type", pg.meta.Type)
		h.Set("Strandline-From", pg.from.String())
	}
	h.Set("Stream-Next-Offset", pg.to.String())
	h.Set("Strandline-Head", strconv.FormatUint(pg.stream.Head, 10))
	if pg.upToDate() {
		h.Set("Stream-Up-To-Date", "true")
	}
	if pg.closed() {
		h.Set("Stream-Closed", "true")
	}
	if q.live != "" && !pg.closed() {
		h.Set("Stream-Cursor", s.cursor(q.cursor))
	}
	audience := "private"
	if p.Subject == "" {
		audience = "public"
	} else {
		h.Add("Vary", "Authorization")
	}
	switch {
	case q.offset == "now" || q.live != "":
		h.Set("Cache-Control", "no-store")
	case pg.full && q.offset != "" && q.offset != "-1" && q.offset != startOffset && q.last == 0 && q.found == nil && pg.from.stream == pg.stream.ID:
		h.Set("Cache-Control", audience+", max-age=31536000, immutable")
	default:
		h.Set("Cache-Control", audience+", no-cache")
	}
	if q.offset != "now" {
		tag := `"` + strconv.FormatUint(pg.stream.ID, 36) + ":" + pg.from.String() + ":" + pg.to.String()
		if q.entries {
			tag += ":e"
		}
		if pg.closed() {
			tag += ":c"
		} else if pg.upToDate() {
			tag += ":u"
		}
		tag += `"`
		h.Set("ETag", tag)
		if matches(r.Header.Get("If-None-Match"), tag) {
			h.Del("Content-Type")
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	if pg.meta.isText() || q.entries {
		web.Pack(w, r, pg.body)
		return
	}
	web.Send(w, r, pg.body)
}

// matches reads If-None-Match. A tag is compared weakly: a proxy that packs an answer marks it so.
func matches(given, tag string) bool {
	for one := range strings.SplitSeq(given, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == tag || one == "*" {
			return true
		}
	}
	return false
}
