package data

import (
	"context"
	"math"
	"unicode/utf8"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/web"
)

// Bounds of one answer.
const (
	maxAnswer = 1 << 20
	maxInline = 256 << 10 // bytes of an entry that the view of entries brings with it
)

// page is one answer's worth of a data stream.
type page struct {
	stream   *engine.DataStream
	meta     *meta
	from, to position
	tail     position
	body     []byte
	full     bool // more is there: this page never changes
}

// upToDate tells whether nothing more was there.
func (p *page) upToDate() bool { return p.to == p.tail }

func (p *page) closed() bool { return p.upToDate() && p.meta.Closed }

// readPage reads at an offset.
func (s *Streams) readPage(ctx context.Context, name string, q query, now int64) (*page, error) {
	pg := new(page)
	err := s.engine.ViewData(ctx, func(tx engine.DataTx) error {
		d, m, err := s.find(tx, name, now)
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
func (pg *page) each(tx engine.DataTx, segs []segment, limit, maxBody int, f func(g segment, e *engine.DataEntry, skip, size int64) (bool, error)) error {
	for i, g := range segs {
		after := pg.to.entries
		if i > 0 {
			after = g.fromIndex
		}
		for after < g.toIndex {
			entries, err := tx.ReadData(g.stream, after, limit, maxAnswer, maxBody)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				return web.Problem(action.CodeInternal, "", "the engine lacks entries below the head of a data stream")
			}
			for j := range entries {
				e := &entries[j]
				if e.Index > g.toIndex {
					break
				}
				size := int64(min(e.End, g.toBytes) - e.Start())
				skip := int64(0)
				if at := pg.to.bytes; at > e.Start() {
					skip = int64(at - e.Start())
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
func (pg *page) readMessages(tx engine.DataTx, segs []segment) error {
	pg.body = append(pg.body, '[')
	err := pg.each(tx, segs, 1000, math.MaxInt32, func(_ segment, e *engine.DataEntry, _, _ int64) (bool, error) {
		if len(pg.body)+len(e.Body) > maxAnswer && len(pg.body) > 1 {
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
func (pg *page) readBytes(tx engine.DataTx, segs []segment) error {
	text := pg.meta.isText()
	return pg.each(tx, segs, 1000, maxAnswer, func(g segment, e *engine.DataEntry, skip, size int64) (bool, error) {
		room := maxAnswer - len(pg.body)
		if room <= 0 {
			pg.full = true
			return false, nil
		}
		n := int(min(int64(room), size-skip))
		body := e.Body
		if body != nil {
			body = body[skip:][:n]
		} else {
			var err error
			if body, err = tx.DataBytes(g.stream, e.Index, skip, n); err != nil {
				return false, err
			}
			if len(body) != n {
				return false, web.Problem(action.CodeInternal, "", "the engine lacks bytes of an entry")
			}
		}
		if int64(n) < size-skip && text {
			if body = wholeRunes(body, len(pg.body) > 0); len(body) == 0 {
				pg.full = true
				if skip > 0 {
					pg.to = position{g.stream, e.Start() + uint64(skip), e.Index - 1}
				}
				return false, nil
			}
		}
		pg.body = append(pg.body, body...)
		if skip += int64(len(body)); skip < size {
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

// readEntry reads one entry, from at to its end.
func (pg *page) readEntry(tx engine.DataTx, g segment, at position) error {
	entries, err := tx.ReadData(g.stream, at.entries, 1, 0, 0)
	if err != nil {
		return err
	}
	e := &entries[0]
	end := min(e.End, g.toBytes)
	pg.from, pg.to, pg.full = at, position{g.stream, end, e.Index}, true
	most := uint64(maxAnswer)
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
func findEntry(tx engine.DataTx, segs []segment, id action.UUID) (int, position, error) {
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
	return 0, position{}, web.Problem(action.CodeNotFound, "/entry", "there is no such entry")
}

// lastOf finds the place before the last n entries.
func lastOf(tx engine.DataTx, segs []segment, n uint64) (int, position, error) {
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
	return 0, position{}, web.Problem(action.CodeInternal, "", "a data stream has lost its place")
}
