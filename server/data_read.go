package server

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/strandline-sync/strandline/core"
)

// Bounds of one answer.
const (
	maxDataAnswer = 1 << 20
	maxDataInline = 256 << 10 // bytes of an entry that the view of entries brings with it
)

// dataQuery is what a read of a data stream asks for.
type dataQuery struct {
	offset  string // "", "-1", "now" or an offset
	live    string // "", "long-poll" or "sse"
	cursor  string
	entries bool // the view of entries
	limit   int
	last    uint64     // entries before the tail to begin at; 0: at offset
	found   *core.UUID // the one entry that is asked for
}

func parseDataQuery(r *http.Request) (q dataQuery, err error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, bad("", "the query cannot be read")
	}
	one := func(name string) (string, bool, error) {
		v, there := values[name]
		if len(v) > 1 {
			return "", true, bad("/"+name, "is given twice")
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
		return q, bad("/offset", "is empty")
	}
	if q.live, _, err = one("live"); err != nil {
		return q, err
	}
	if q.live != "" && q.live != "long-poll" && q.live != "sse" {
		return q, bad("/live", "is long-poll or sse")
	}
	if q.live != "" && !there {
		return q, bad("/offset", "is missing")
	}
	if q.cursor, _, err = one("cursor"); err != nil {
		return q, err
	}
	view, _, err := one("view")
	if err != nil {
		return q, err
	}
	if q.entries = view == "entries"; view != "" && (!q.entries || q.live != "") {
		return q, bad("/view", "is entries, and not live")
	}
	if text, there, err := one("entry"); err != nil {
		return q, err
	} else if there {
		id, ok := core.ParseUUID(text)
		if !ok || q.live != "" {
			return q, bad("/entry", "is a UUID, and not live")
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
			return q, bad("/"+name, "is a whole number from 1, and of the view of entries")
		}
		to(n)
	}
	return q, nil
}

// page is one answer's worth of a data stream.
type page struct {
	stream   *DataStream
	meta     *dataMeta
	from, to position
	tail     position
	body     []byte
	full     bool // more is there: this page never changes
}

// upToDate tells whether nothing more was there.
func (p *page) upToDate() bool { return p.to == p.tail }

func (p *page) closed() bool { return p.upToDate() && p.meta.Closed }

// readPage reads at an offset.
func (s *Server) readPage(ctx context.Context, name string, q dataQuery, now int64) (*page, error) {
	pg := new(page)
	err := s.Engine.ViewData(ctx, func(tx DataTx) error {
		d, m, err := s.findData(tx, name, now)
		if err != nil {
			return err
		}
		segs, err := segments(tx, d)
		if err != nil {
			return err
		}
		pg.stream, pg.meta, pg.tail = d, m, tailOf(segs)
		i, at := 0, position{segs[0].stream, 0, 0}
		switch {
		case q.found != nil:
			if i, at, err = findEntry(tx, segs, *q.found); err != nil {
				return err
			}
			if pg.from, pg.to, q.limit = at, at, 1; !q.entries {
				return pg.readEntry(tx, segs[i], at)
			}
		case q.last > 0:
			if i, at, err = lastOf(tx, segs, q.last); err != nil {
				return err
			}
		case q.offset == "now":
			i, at = len(segs)-1, pg.tail
		case q.offset != "" && q.offset != "-1":
			if i, at, err = locate(tx, segs, q.offset, m.isJSON()); err != nil {
				return err
			}
		}
		if pg.from, pg.to = at, at; at.bytes == d.Tail {
			pg.from, pg.to = pg.tail, pg.tail
		}
		switch {
		case q.entries:
			return pg.readEntries(tx, segs[i:], q.limit)
		case m.isJSON():
			return pg.readMessages(tx, segs[i:])
		}
		return pg.readBytes(tx, segs[i:])
	})
	return pg, err
}

// each calls f with the entries from pg.to on until it says that the page is full; f moves nothing. What a fork has not inherited is cut off.
func (pg *page) each(tx DataTx, segs []segment, limit, maxBody int, f func(g segment, e *DataEntry, skip, size int) (bool, error)) error {
	for i, g := range segs {
		after := pg.to.entries
		if i > 0 {
			after = g.fromIndex
		}
		for after < g.toIndex {
			entries, err := tx.ReadData(g.stream, after, limit, maxDataAnswer, maxBody)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				return problem(core.CodeInternal, "", "the engine lacks entries below the head of a data stream")
			}
			for j := range entries {
				e := &entries[j]
				if e.Index > g.toIndex {
					break
				}
				size := int(min(e.End, g.toBytes) - e.Start())
				skip := 0
				if at := pg.to.bytes; at > e.Start() {
					skip = int(at - e.Start())
				}
				more, err := f(g, e, skip, size)
				if err != nil || !more {
					return err
				}
				after = e.Index
				if pg.to = (position{g.stream, e.Start() + uint64(size), e.Index}); pg.to.bytes == g.toBytes {
					pg.to.entries = g.toIndex
				}
			}
		}
	}
	return nil
}

// readMessages reads JSON: an array of the messages.
func (pg *page) readMessages(tx DataTx, segs []segment) error {
	pg.body = append(pg.body, '[')
	err := pg.each(tx, segs, 1000, math.MaxInt32, func(_ segment, e *DataEntry, _, _ int) (bool, error) {
		if len(pg.body)+len(e.Body) > maxDataAnswer && len(pg.body) > 1 {
			pg.full = true
			return false, nil
		}
		if len(pg.body) > 1 {
			pg.body = append(pg.body, ',')
		}
		pg.body = append(pg.body, e.Body...)
		return true, nil
	})
	pg.body = append(pg.body, ']')
	return err
}

// readBytes reads the bytes, whatever their messages.
func (pg *page) readBytes(tx DataTx, segs []segment) error {
	text := pg.meta.isText()
	return pg.each(tx, segs, 1000, maxDataAnswer, func(g segment, e *DataEntry, skip, size int) (bool, error) {
		room := maxDataAnswer - len(pg.body)
		if room <= 0 {
			pg.full = true
			return false, nil
		}
		n := min(room, size-skip)
		body := e.Body
		if body != nil {
			body = body[skip : skip+n]
		} else {
			var err error
			if body, err = tx.DataBytes(g.stream, e.Index, skip, n); err != nil {
				return false, err
			}
			if len(body) != n {
				return false, problem(core.CodeInternal, "", "the engine lacks bytes of an entry")
			}
		}
		if n < size-skip && text {
			if body = wholeRunes(body, len(pg.body) > 0); len(body) == 0 {
				pg.full = true
				if skip > 0 {
					pg.to = position{g.stream, e.Start() + uint64(skip), e.Index - 1}
				}
				return false, nil
			}
		}
		pg.body = append(pg.body, body...)
		if skip += len(body); skip < size {
			pg.full = true
			pg.to = position{g.stream, e.Start() + uint64(skip), e.Index - 1}
			return false, nil
		}
		return true, nil
	})
}

// wholeRunes cuts off the beginning of a rune whose rest did not find room; all of b only where something is before it.
func wholeRunes(b []byte, before bool) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) && (i > 0 || before) {
				return b[:i]
			}
			break
		}
	}
	return b
}

// readEntries reads the view of entries: of each, 16 bytes of id (zero where its writer chose none), 8 bytes of size, one byte that tells
// whether its bytes follow, one byte of length and the offset behind it, and then its bytes; numbers are big-endian.
func (pg *page) readEntries(tx DataTx, segs []segment, limit int) error {
	left, bytes := limit, 0
	most := maxDataInline
	if pg.meta.isJSON() { // a message is what one request may have, and is read whole only
		most = math.MaxInt32
	}
	return pg.each(tx, segs, limit, most, func(g segment, e *DataEntry, skip, size int) (bool, error) {
		inline := size-skip <= most
		if left == 0 || inline && bytes+size-skip > maxDataAnswer && bytes > 0 {
			pg.full = true
			return false, nil
		}
		left--
		body := e.Body
		if body == nil && inline {
			var err error
			if body, err = tx.DataBytes(g.stream, e.Index, skip, size-skip); err != nil {
				return false, err
			}
		} else if inline {
			body = body[skip:size]
		}
		end := position{g.stream, e.Start() + uint64(size), e.Index}.String()
		b := append(pg.body, e.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(size-skip))
		if inline {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		b = append(append(b, byte(len(end))), end...)
		if inline {
			b = append(b, body...)
			bytes += size - skip
		}
		pg.body = b
		return true, nil
	})
}

// readEntry reads one entry, from at to its end.
func (pg *page) readEntry(tx DataTx, g segment, at position) error {
	entries, err := tx.ReadData(g.stream, at.entries, 1, 0, 0)
	if err != nil {
		return err
	}
	e := &entries[0]
	end := min(e.End, g.toBytes)
	pg.from, pg.to, pg.full = at, position{g.stream, end, e.Index}, true
	most := uint64(maxDataAnswer)
	if pg.meta.isJSON() {
		most = end - at.bytes
	}
	if pg.body, err = tx.DataBytes(g.stream, e.Index, 0, int(min(end-at.bytes, most))); err != nil {
		return err
	}
	if rest := end - at.bytes; uint64(len(pg.body)) < rest {
		pg.to = position{g.stream, at.bytes + uint64(len(pg.body)), at.entries}
	}
	return nil
}

// findEntry finds the entry with an id.
func findEntry(tx DataTx, segs []segment, id core.UUID) (int, position, error) {
	for i, g := range segs {
		index, err := tx.FindData(g.stream, id)
		if err != nil {
			return 0, position{}, err
		}
		if index > g.fromIndex && index <= g.toIndex {
			e, err := tx.ReadData(g.stream, index-1, 1, 0, 0)
			if err != nil {
				return 0, position{}, err
			}
			return i, position{g.stream, e[0].Start(), index - 1}, nil
		}
	}
	return 0, position{}, problem(core.CodeNotFound, "/entry", "there is no such entry")
}

// lastOf finds the place before the last n entries.
func lastOf(tx DataTx, segs []segment, n uint64) (int, position, error) {
	head := segs[len(segs)-1].toIndex
	if n >= head {
		return 0, position{segs[0].stream, 0, 0}, nil
	}
	for i, g := range segs {
		if index := head - n; index < g.toIndex && index >= g.fromIndex {
			e, err := tx.ReadData(g.stream, index, 1, 0, 0)
			if err != nil {
				return 0, position{}, err
			}
			return i, position{g.stream, e[0].Start(), index}, nil
		}
	}
	return 0, position{}, problem(core.CodeInternal, "", "a data stream has lost its place")
}

// getData reads a data stream, or tells of it.
func (s *Server) getData(w http.ResponseWriter, r *http.Request, p Principal) error {
	name, err := dataName(r)
	if err != nil {
		return err
	}
	if !s.Auth.Allow(p, name, Read) {
		return errForbidden
	}
	now := s.Now().UnixMilli()
	if r.Method == http.MethodHead {
		return s.Engine.ViewData(r.Context(), func(tx DataTx) error {
			d, m, err := s.findData(tx, name, now)
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
	q, err := parseDataQuery(r)
	if err != nil {
		return err
	}
	switch q.live {
	case "long-poll":
		return s.pollData(w, r, p, name, q)
	case "sse":
		return s.tailData(w, r, p, name, q)
	}
	pg, err := s.readPage(r.Context(), name, q, now)
	if err != nil {
		return err
	}
	s.usedData(name, pg, now)
	s.writePage(w, r, p, q, pg)
	return nil
}

// usedData notes that a stream was read.
func (s *Server) usedData(name string, pg *page, now int64) {
	if !s.use(pg.stream.ID, pg.meta, now) {
		return
	}
	s.Background(func() {
		err := s.Engine.UpdateData(context.Background(), func(tx DataTx) error {
			d, m, err := s.findData(tx, name, now)
			if err != nil || d.ID != pg.stream.ID {
				return err
			}
			m.Used = max(m.Used, now)
			if err := m.write(d); err != nil {
				return err
			}
			return tx.PutData(d)
		})
		if err != nil && !errors.Is(err, ErrClosed) && core.CodeOf(err) != core.CodeNotFound && core.CodeOf(err) != core.CodeGone {
			s.Log.Error("the use of a data stream could not be noted", "error", err)
		}
	})
}

// writePage sends a page. One that never changes may be kept for ever under its offset, where that is of this very stream: the first page has none,
// what a fork inherits has its source's, and a deleted stream's name may be another's one day.
func (s *Server) writePage(w http.ResponseWriter, r *http.Request, p Principal, q dataQuery, pg *page) {
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
		pack(w, r, pg.body)
		return
	}
	w.Write(pg.body)
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
