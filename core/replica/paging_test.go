package replica

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

// pagingWorld drives a replica as a stream does, with entries of another client, own writes and turns.
type pagingWorld struct {
	t      *testing.T
	r      *rand.Rand
	rep    *Replica
	serial int
	seq    uint64
	pages  map[string][]byte
	blobs  [][]byte // records since the checkpoint
}

func (w *pagingWorld) id() action.UUID {
	w.serial++
	return action.UUID{0: 0xaa, 13: byte(w.serial >> 16), 14: byte(w.serial >> 8), 15: byte(w.serial)}
}

func (w *pagingWorld) follow(blob []byte) {
	w.t.Helper()
	rec, err := record.Decode(blob)
	if err == nil {
		_, err = w.rep.Follow([]*record.Record{rec})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.blobs = append(w.blobs, blob)
}

func (w *pagingWorld) ops() string {
	id := action.UUID{0: byte(w.r.IntN(256)), 15: byte(w.r.IntN(2))}.String()
	switch w.r.IntN(5) {
	case 0, 1:
		return fmt.Sprintf(`[{"op":"create","object":"%s","type":"t%d","fields":{"a":1,"text":"%s"},"lock":true}]`, id, w.r.IntN(3), strings.Repeat("x", w.r.IntN(12_000)))
	case 2:
		return fmt.Sprintf(`[{"op":"remove","object":"%s"}]`, id)
	case 3:
		return fmt.Sprintf(`[{"op":"update","object":"%s","unset":["text"],"inc":{"a":1}}]`, id)
	}
	return fmt.Sprintf(`[{"op":"update","object":"%s","set":{"k%d":"%s"}}]`, id, w.r.IntN(4), strings.Repeat("y", w.r.IntN(300)))
}

// change does one thing that a stream does.
func (w *pagingWorld) change() {
	w.t.Helper()
	switch w.r.IntN(6) {
	case 0, 1:
		_, _ = w.rep.write(&queue.Draft{ID: w.id(), Ops: w.ops()}, uint64(w.serial))
	case 2:
		if len(w.rep.q.Uncommitted) > 0 {
			blob, n, _ := w.rep.CommitRecord()
			w.rep.Committed(n, len(blob))
			w.blobs = append(w.blobs, blob)
		}
	case 3:
		if n := len(w.rep.q.Pending); n > 0 {
			t := record.Turn{After: w.rep.state.Head, Chain: w.rep.state.Chain}
			for _, l := range w.rep.q.Pending[:1+w.r.IntN(n)] {
				t.Persisted = append(t.Persisted, l.ID)
				t.Chain = t.Chain.Next(l.Raw)
			}
			w.follow(record.EncodeTurn(&t))
		}
	default:
		t := record.Turn{After: w.rep.state.Head, Chain: w.rep.state.Chain}
		for range 1 + w.r.IntN(8) {
			w.seq++
			raw := fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":%s,"seq":%d}`, action.UUID{15: 7}, w.id(), w.ops(), w.seq)
			a, err := action.DecodeAction(raw)
			if err != nil {
				w.t.Fatal(err)
			}
			t.Entries = append(t.Entries, action.Entry{Action: *a})
			t.Chain = t.Chain.Next(a.Raw)
		}
		w.follow(record.EncodeTurn(&t))
	}
}

// confirmed is what a checkpoint taken now must hold.
func (w *pagingWorld) confirmed() (text string) {
	w.rep.rebaseAll(func() { text = string(w.rep.state.AppendCheckpoint(nil, "s")) })
	for _, l := range w.rep.q.Pending {
		text += l.Raw + "\n"
	}
	return text + fmt.Sprint(len(w.rep.own.All()), w.rep.lastSeq)
}

// store does what a store does with a checkpoint, and gives the log as it is read then.
func (w *pagingWorld) store(c *locallog.Checkpoint, after [][]byte) *locallog.Log {
	for _, p := range c.Pages {
		if w.pages[p.Name] != nil {
			w.t.Fatalf("page %s is there already", p.Name)
		}
		w.pages[p.Name] = p.Bytes
	}
	for _, name := range c.Drop {
		if w.pages[name] == nil {
			w.t.Fatalf("page %s is dropped but is not there", name)
		}
		delete(w.pages, name)
	}
	m, err := locallog.DecodeManifest(c.Manifest)
	if err != nil {
		w.t.Fatal(err)
	}
	l := &locallog.Log{Manifest: c.Manifest, Records: after}
	for _, name := range m.Names() {
		l.Pages = append(l.Pages, w.pages[name])
	}
	if named := len(m.Names()) + len(m.Kept); named != len(w.pages) {
		w.t.Fatalf("%d pages are stored, %d are named", len(w.pages), named)
	}
	return l
}

// A checkpoint holds the confirmed state of the moment at which it was begun, whatever happens while it is written, and reads back as
// the same replica; the next one writes only what has changed.
func TestACheckpointIsTheStateOfOneMoment(t *testing.T) {
	defer func(n state.Slot) { state.SlotsPerStep = n }(state.SlotsPerStep)
	state.SlotsPerStep = 40
	kept, written := 0, 0
	for seed := range uint64(8) {
		w := &pagingWorld{t: t, r: rand.New(rand.NewPCG(seed, 1)), rep: New("s"), pages: map[string][]byte{}}
		w.follow(record.EncodeInit(record.Init{Log: action.UUID{15: 1}, Client: action.UUID{15: 9}, User: "u"}))
		for range 6 {
			for range 40 + w.r.IntN(400)*w.r.IntN(2) {
				w.change()
			}
			want := w.confirmed()
			w.blobs = nil
			n := w.rep.TrackSnapshot()
			for !n.Step() {
				for range w.r.IntN(4) {
					w.change()
				}
			}
			if w.r.IntN(4) == 0 { // it could not be stored: the next one holds all
				w.rep.snap = nil
				w.rep.state.DropSnapshot()
				continue
			}
			sealed := n.Seal(w.rep.base)
			l := w.store(sealed, nil)
			w.rep.Stored(n)
			written += len(sealed.Pages)
			kept += len(w.pages) - len(sealed.Pages)
			back, err := Read("s", 0, l, nil)
			if err != nil {
				t.Fatal(err)
			}
			x := &pagingWorld{t: t, rep: back}
			if got := x.confirmed(); got != want {
				t.Fatalf("seed %d: another state came back\n got %.300s\nwant %.300s", seed, got, want)
			}
			l.Records = w.blobs
			if back, err = Read("s", 0, l, nil); err != nil {
				t.Fatal(err)
			}
			x.rep = back
			if got, want := x.confirmed(), w.confirmed(); got != want {
				t.Fatalf("seed %d: with the records after it, another state came back\n got %.300s\nwant %.300s", seed, got, want)
			}
			if err := back.state.Check(); err != nil {
				t.Fatal(err)
			}
			for o := range back.state.Objects() {
				if now := w.rep.state.Object(o.ID()); now.Exists() && w.rep.q.Len() == 0 && now.Bytes() != o.Bytes() {
					t.Fatalf("an object of %d bytes came back with %d", now.Bytes(), o.Bytes())
				}
			}
			for _, b := range w.pages {
				if len(b) > state.PageBytes+4096 {
					t.Fatalf("a page of %d bytes", len(b))
				}
			}
		}
	}
	if kept == 0 || written == 0 {
		t.Fatalf("%d pages kept, %d written", kept, written)
	}
	t.Logf("%d pages written, %d kept", written, kept)
}

// Bytes of a checkpoint that are cut or changed are an error, never another state.
func TestADamagedCheckpointIsRefused(t *testing.T) {
	w := &pagingWorld{t: t, r: rand.New(rand.NewPCG(1, 2)), rep: New("s"), pages: map[string][]byte{}}
	w.follow(record.EncodeInit(record.Init{Log: action.UUID{15: 1}, Client: action.UUID{15: 9}}))
	for range 60 {
		w.change()
	}
	n := w.rep.TrackSnapshot()
	for !n.Step() {
	}
	whole := w.store(n.Seal(w.rep.base), nil)
	damaged := func(name string, change func(l *locallog.Log)) {
		l := locallog.Log{Manifest: slices.Clone(whole.Manifest)}
		for _, p := range whole.Pages {
			l.Pages = append(l.Pages, slices.Clone(p))
		}
		change(&l)
		if _, err := Read("s", 0, &l, nil); action.CodeOf(err) != action.CodeCorrupt && action.CodeOf(err) != action.CodeUpgrade {
			t.Errorf("%s: %v", name, err)
		}
	}
	damaged("no page", func(l *locallog.Log) { l.Pages = l.Pages[:0] })
	damaged("a page less", func(l *locallog.Log) { l.Pages = l.Pages[1:] })
	damaged("pages in another order", func(l *locallog.Log) { slices.Reverse(l.Pages) })
	damaged("the same page twice", func(l *locallog.Log) { l.Pages[len(l.Pages)-2] = l.Pages[0]; l.Pages[len(l.Pages)-1] = l.Pages[0] })
	for range 300 {
		i := w.r.IntN(len(whole.Pages))
		at := w.r.IntN(len(whole.Pages[i]))
		damaged(fmt.Sprintf("page %d, byte %d", i, at), func(l *locallog.Log) { l.Pages[i][at] ^= 1 << w.r.IntN(8) })
	}
	for i := range whole.Manifest {
		damaged(fmt.Sprintf("manifest, byte %d", i), func(l *locallog.Log) { l.Manifest[i] ^= 4 })
	}
}
