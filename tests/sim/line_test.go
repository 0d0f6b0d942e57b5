package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
)

// slow is the worst line that everything has to arrive over: 2 KB/s both ways, 5 s of latency, every fifth request breaks.
func slow() *virtual.Line { return &virtual.Line{Up: 2 << 10, Down: 2 << 10, Latency: 5_000, Loss: 0.2} }

func (w *world) over(line *virtual.Line, local *memstore.Database) *tab {
	tb := w.context(local, func(_ *tab, c *virtual.Config) { c.Line = line })
	tb.openStream(stream, plan.Options{})
	w.Run(50)
	return tb
}

// Over a line that is slow, late and lossy everything arrives, both ways, and little is sent for nothing: rows in answers or in a
// checkpoint, small writes, and one large one (C10, F2).
func TestASlowLine(t *testing.T) {
	for _, checkpoints := range []int{0, 20_000} {
		for seed := range uint64(8) {
			w := newWorld(t, seed+1)
			w.checkpoint = checkpoints
			w.start()
			writer := w.open(memstore.New())
			have := 0
			for n := range 600 {
				fields := `{"n":` + fmt.Sprint(n) + `,"text":"` + strings.Repeat("x", 300) + `"}`
				have += len(fields) + 250
				writer.write(create(n, fields))
			}
			w.Run(minute)
			line := slow()
			tb := w.over(line, memstore.New())
			large := strings.Repeat("y", 230<<10)
			for n := range 300 {
				fields := `{"n":1}`
				if n == 100 {
					fields = `{"large":"` + large + `"}`
				}
				have += len(fields) + 300
				tb.write(create(1000+n, fields))
				w.Run(500)
			}
			begun := w.Now()
			for tb.Unsent() > 0 || tb.State().Len() != 900 {
				if w.Run(minute); w.Now() > begun+6*60*minute {
					t.Fatalf("seed %d: after six hours it has %d objects, %d are unsent; %d requests, %d broken, %d silent, %d KiB: %+v", seed,
						tb.State().Len(), tb.Unsent(), line.Sent, line.Lost, line.Silent, line.Bytes>>10, tb.Status())
				}
			}
			if line.Bytes > 3*have || line.Lost == 0 {
				t.Errorf("seed %d: %d KiB for %d, in %d requests, %d broken, %d silent", seed, line.Bytes>>10, have>>10, line.Sent, line.Lost, line.Silent)
			}
			t.Logf("checkpoints %d, seed %d: %d minutes, %d KiB for %d, in %d requests, %d broken, %d silent", checkpoints, seed,
				(w.Now()-begun)/minute, line.Bytes>>10, have>>10, line.Sent, line.Lost, line.Silent)
			w.Run(5 * minute)
			w.converged(writer, tb)
		}
	}
}
