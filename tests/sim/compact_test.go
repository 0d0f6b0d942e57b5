package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/queue"
)

// Whatever the length of the log: what is stored, and so read at start-up, stays in proportion to the state, and each byte
// of the log is written about twice.
func TestWriteAmplificationAndStartUpAreBounded(t *testing.T) {
	w := newWorld(t, 1)
	local := memstore.New()
	tb := w.open(local)
	const objects = 400
	for i := range objects {
		tb.write(create(i, fmt.Sprintf(`{"text":"%s"}`, strings.Repeat("x", 600))))
		w.Run(5)
	}
	w.Run(1000)
	state := len(tb.rows())
	for round := range 6 {
		from := local.Written
		for i := range 2000 {
			tb.write(set((i*7+round)%objects, fmt.Sprintf(`{"text":"%d%s"}`, i, strings.Repeat("y", 600))))
			w.Run(5)
		}
		w.Run(10_000)
		records, bytes := local.Size(stream)
		written := float64(local.Written-from) / (2000 * 850)
		t.Logf("log %6d: %4d records, %7d bytes stored, %.2f bytes written for each byte of actions", tb.Status().Head, records, bytes, written)
		if bytes > 4*state+2*loop.DefaultCompact+keptActions {
			t.Errorf("%d bytes are stored for a state of %d", bytes, state)
		}
		if written > 3.6 { // an own action: in its commit, in a page of the state, and where it is kept
			t.Errorf("each byte is written %.2f times", written)
		}
	}
	w.converged(tb)
	again := w.open(local)
	w.converged(again)
}

// keptActions is how many bytes of own actions are kept beside the state, about.
const keptActions = 9 << 20

// A tab that was frozen while others wrote, compacted and checkpointed loses nothing and deletes nothing, whatever it
// was about to do.
func TestATabFrozenAcrossACheckpoint(t *testing.T) {
	for name, before := range map[string]func(w *world, tb *tab){
		"idle":                func(w *world, tb *tab) { w.Run(1000) },
		"a commit in flight":  func(w *world, tb *tab) { tb.write(set(1, `{"frozen":1}`)) },
		"a commit is stored":  func(w *world, tb *tab) { tb.write(set(1, `{"frozen":1}`)); w.Run(6) },
		"a write not pumped":  func(w *world, tb *tab) { tb.Write(&queue.Draft{ID: tb.host.NewID(), Ops: set(1, `{"frozen":1}`)}) },
		"a turn in flight":    func(w *world, tb *tab) { tb.write(set(1, `{"frozen":1}`)); w.Run(25) },
		"a checkpoint begins": func(w *world, tb *tab) { tb.write(set(1, `{"frozen":"`+strings.Repeat("z", 5000)+`"}`)); w.Run(70) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 7)
			w.compact = 4000
			w.Latency = latency(10)
			local := memstore.New()
			frozen := w.open(local)
			w.Run(1000)
			for i := range 20 {
				frozen.write(create(i, `{"n":0}`))
			}
			w.Run(2000)
			other := w.open(local)
			w.Run(1000)
			before(w, frozen)
			frozen.host.Freeze()
			for i := range 200 {
				other.write(set(i%20, fmt.Sprintf(`{"n":%d,"text":"%s"}`, i, strings.Repeat("x", 100))))
				w.Run(50)
			}
			w.Run(10_000)
			if n, _ := local.Size(stream); n > 100 {
				t.Fatalf("nothing was compacted: %d records", n)
			}
			frozen.host.Thaw()
			w.Run(10)
			frozen.write(create(100, `{"thawed":true}`))
			w.Run(3 * minute)
			other.Refresh()
			w.Run(3 * minute)
			w.converged(frozen, other)
			w.converged(w.open(local))
			if name != "idle" && !strings.Contains(frozen.rows(), `"frozen":`) {
				t.Error("the write before the freeze is lost")
			}
			if !strings.Contains(other.rows(), `"thawed":true`) {
				t.Error("the write after the thaw is lost")
			}
			if len(frozen.failed) > 0 || frozen.closed != nil {
				t.Errorf("failed: %v, closed: %v", frozen.failed, frozen.closed)
			}
		})
	}
}
