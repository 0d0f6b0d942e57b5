package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/replica"
)

// page is what a page shows before it has a program: of texts beside the log, and nothing else.
type page struct {
	Head, Unsent, Refused int
	Client                string
	rows                  map[string]string
	own                   map[string]bool // objects that pending actions name
}

// shown is one such text.
type shown struct {
	Head, Unsent, Refused int
	Client                string
	Pages                 []string
	Rows, OwnRows         []json.RawMessage
	Gone, OwnGone, Done   []string
}

func idOf(row json.RawMessage) string {
	var o struct{ ID string }
	if err := json.Unmarshal(row, &o); err != nil {
		panic(err)
	}
	return o.ID
}

// pageOf reads it, as js/src/boot does; why is empty where it is exact.
func pageOf(local *memstore.Database, name string) (p *page, why string) {
	first, next, texts, rows := local.Shown(name)
	if next == 0 {
		return nil, "there is no log"
	}
	p = &page{rows: map[string]string{}, own: map[string]bool{}}
	for lsn := first; lsn < next; lsn++ {
		text, ok := texts[lsn]
		if !ok {
			return nil, "a record has none"
		}
		var s shown
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			panic(fmt.Sprint(text, err))
		}
		if lsn == first && lsn > 0 {
			if s.Pages == nil {
				return nil, "the checkpoint has none"
			}
			for _, page := range s.Pages {
				text, ok := rows[page]
				if !ok {
					return nil, "a page has none"
				}
				var list []json.RawMessage
				if err := json.Unmarshal([]byte(text), &list); err != nil {
					panic(err)
				}
				for _, row := range list {
					p.rows[idOf(row)] = string(row)
				}
			}
		}
		for i, list := range [][]json.RawMessage{s.Rows, s.OwnRows} {
			for _, row := range list {
				p.take(idOf(row), string(row), i == 1)
			}
		}
		for i, list := range [][]string{s.Gone, s.OwnGone} {
			for _, id := range list {
				p.take(id, "", i == 1)
			}
		}
		for _, id := range s.Done {
			delete(p.own, id)
		}
		p.Head, p.Unsent, p.Refused = s.Head, s.Unsent, s.Refused
		if s.Client != "" {
			p.Client = s.Client
		}
	}
	return p, ""
}

func (p *page) take(id, row string, own bool) {
	if delete(p.own, id); own {
		p.own[id] = true
	}
	if delete(p.rows, id); row != "" {
		p.rows[id] = row
	}
}

// showsRight holds what a page would show of a database to what its log says.
func (h *history) showsRight(local *memstore.Database) {
	st := local.Clone().Open()
	for _, name := range must(st.Streams(context.Background())) {
		p, why := pageOf(local, name)
		if why != "" {
			h.count("a page waits for its program")
			continue
		}
		log, err := st.Load(context.Background(), name, 0)
		var r *replica.Replica
		if err == nil {
			r, err = replica.Read(name, 0, &log, nil)
		}
		if err != nil {
			continue
		}
		h.count("a page shows rows without a program")
		h.keepShown(local, name, p)
		if err := p.differs(r); err != "" {
			_, next, texts, _ := local.Shown(name)
			for i, record := range log.Records {
				h.t.Logf("record %d: %.1500q\nshown: %.700s", int(next)-len(log.Records)+i, record, texts[next-locallog.LSN(len(log.Records)-i)])
			}
			h.t.Fatalf("at record %d of %s %s", r.NextLSN()-1, name, err)
		}
	}
}

// keepShown keeps every fifth for js/src/boot/early.test.ts: what is stored, and what is to be shown.
func (h *history) keepShown(local *memstore.Database, name string, p *page) {
	if *changesDir == "" {
		return
	}
	if h.looks++; h.looks%5 != 0 {
		return
	}
	first, next, shown, rows := local.Shown(name)
	at, texts := []locallog.LSN{}, []string{}
	for lsn := first; lsn < next; lsn++ {
		at, texts = append(at, lsn), append(texts, shown[lsn])
	}
	list := []json.RawMessage{}
	for _, id := range slices.Sorted(maps.Keys(p.rows)) {
		list = append(list, json.RawMessage(p.rows[id]))
	}
	line := must(json.Marshal(map[string]any{"at": at, "texts": texts, "rows": rows,
		"want": []any{list, append([]string{}, slices.Sorted(maps.Keys(p.own))...), p.Head, p.Unsent, p.Refused, p.Client}}))
	h.shown.Write(append(line, '\n'))
}

func (p *page) differs(r *replica.Replica) string {
	own := map[string]bool{}
	for id := range r.PendingObjects() {
		own[id.String()] = true
	}
	rows := map[string]string{}
	for id, row := range rowsOf(r.State()) {
		rows[id.String()] = row
	}
	switch {
	case !maps.Equal(rows, p.rows):
		for _, id := range slices.Sorted(maps.Keys(union2(rows, p.rows))) {
			if rows[id] != p.rows[id] {
				return fmt.Sprintf("a page shows %q for %q", p.rows[id], rows[id])
			}
		}
	case !maps.Equal(own, p.own):
		return fmt.Sprintf("a page takes %v for pending, it is %v", p.own, own)
	case p.Head != int(r.State().Head) || p.Unsent != r.Unsent() || p.Refused != r.Refusals():
		return fmt.Sprintf("a page is at %d with %d and %d, it is %d with %d and %d", p.Head, p.Unsent, p.Refused, r.State().Head, r.Unsent(), r.Refusals())
	case p.Client != r.Client().String():
		return "a page has another client id"
	}
	return ""
}

func union2(a, b map[string]string) map[string]bool {
	ids := map[string]bool{}
	for id := range a {
		ids[id] = true
	}
	for id := range b {
		ids[id] = true
	}
	return ids
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
