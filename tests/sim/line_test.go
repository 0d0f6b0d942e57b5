package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
)

func (w *world) over(line *virtual.Line, local *memstore.Database) *tab {
	tb := w.context(local, func(_ *tab, c *virtual.Config) { c.Line = line })
	tb.openStream(stream, plan.Options{})
	w.Run(50)
	return tb
}

// Over a line that is slow, late and lossy, or that breaks every minute, everything arrives, both ways, and not too much is sent for
// nothing: rows in answers or in a checkpoint, small writes, and a large one (C10, F2).
func TestASlowLine(t *testing.T) {
	for name, bad := range map[string]struct {
		line  virtual.Line
		large int
		waste int // how often what has to be sent may be
	}{
		"lossy":  {virtual.Line{Up: 2 << 10, Down: 2 << 10, Latency: 5_000, Loss: 0.2}, 230 << 10, 3},
		"breaks": {virtual.Line{Up: 2 << 10, Down: 2 << 10, Latency: 5_000, Breaks: 60_000}, 20 << 10, 8},
		"late":   {virtual.Line{Up: 50 << 10, Down: 50 << 10, Latency: 28_000, Loss: 0.2}, 230 << 10, 3},
	} {
		for seed := range uint64(8) {
			w := newWorld(t, seed+1)
			w.checkpoint = []int{0, 20_000}[seed%2]
			w.keep = []uint64{0, 5}[seed%4/3] // a log that does not go back to its beginning
			w.start()
			writer := w.open(memstore.New())
			have := 0
			for n := range 600 {
				fields := `{"n":` + fmt.Sprint(n) + `,"text":"` + strings.Repeat("x", 300) + `"}`
				have += len(fields) + 250
				writer.write(create(n, fields))
			}
			w.Run(minute)
			line := bad.line
			tb := w.over(&line, memstore.New())
			for n := range 300 {
				fields := `{"n":1}`
				if n == 100 {
					fields = `{"large":"` + strings.Repeat("y", bad.large) + `"}`
				}
				have += len(fields) + 300
				tb.write(create(1000+n, fields))
				w.Run(500)
			}
			begun := w.Now()
			for tb.Unsent() > 0 || tb.State().Len() != 900 {
				if w.Run(minute); w.Now() > begun+6*60*minute {
					t.Fatalf("%s, seed %d: after six hours it has %d objects, %d are unsent; %d requests, %d broken, %d silent, %d KiB: %+v", name, seed,
						tb.State().Len(), tb.Unsent(), line.Sent, line.Lost, line.Silent, line.Bytes>>10, tb.Status())
				}
			}
			t.Logf("%s, seed %d: %d minutes, %d KiB for %d, in %d requests, %d broken, %d silent", name, seed,
				(w.Now()-begun)/minute, line.Bytes>>10, have>>10, line.Sent, line.Lost, line.Silent)
			if line.Bytes > bad.waste*have {
				t.Errorf("%s, seed %d: too much is sent", name, seed)
			}
			w.Run(10 * minute)
			w.converged(writer, tb)
		}
	}
}
