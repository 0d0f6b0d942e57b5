package sim

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/plan"
)

// damagedWorld is a client whose local log has all that a local log can have: a checkpoint with several pages, pages of own actions, a rest
// with pending and refused actions, turns and commits behind it; and the client is gone.
type damagedWorld struct {
	*world
	local    *memstore.Database
	other    *tab
	pending  map[string]bool // ids that are not on the server
	rejected map[string]bool
	rows     string // as they were at the end
	turns    map[string]bool
	down     bool // what opens now has no network
}

func newDamagedWorld(t *testing.T, alone bool, pruned ...bool) *damagedWorld {
	w := &damagedWorld{world: newWorld(t, 21), local: memstore.New(), turns: map[string]bool{}, pending: map[string]bool{}, rejected: map[string]bool{}}
	w.compact, w.alone = 3000, alone
	if len(pruned) > 0 && pruned[0] {
		w.checkpoint, w.keep = 2000, 3
		w.start()
	}
	if !alone {
		w.other = w.open(memstore.New())
	}
	w.change = func(tb *tab, _ *virtual.Config) {
		tb.net.fault = func(int) fate {
			if w.down {
				return lostBefore
			}
			return pass
		}
	}
	a := w.open(w.local)
	for n := range 30 {
		a.write(create(n, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("x", 300))))
		if n%6 == 5 {
			w.Run(minute)
		}
	}
	if !alone {
		w.limit(1000)
		a.write(set(1, `{"text":"`+strings.Repeat("y", 2000)+`"}`)) // refused
		w.Run(2 * minute)
	}
	w.down = true
	for n := range 12 { // some of them stand in the last checkpoint, others in records
		a.write(create(100+n, fmt.Sprintf(`{"n":%d,"text":"%s"}`, n, strings.Repeat("z", 300))))
		w.Run(minute)
	}
	if !alone {
		w.other.write(set(2, `{"n":-2}`))
		w.down = false
		w.Run(4 * minute)
		w.down = true
	}
	for n := range 4 {
		a.write(set(100+n, fmt.Sprintf(`{"n":%d}`, 50+n)))
		w.Run(minute)
	}
	for _, id := range a.pendingIDs() {
		w.pending[id] = true
	}
	for _, j := range a.RejectedList() {
		w.rejected[j.ID.String()] = true
	}
	w.rows = a.rows()
	a.kill()
	if _, sizes := w.places(); len(w.pending) < 4 || !alone && (len(w.rejected) != 1 || len(sizes) < 15) {
		t.Fatalf("too little to damage: %d pending, %d refused, %v", len(w.pending), len(w.rejected), sizes)
	}
	return w
}

func (tb *tab) pendingIDs() (ids []string) {
	var list []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(tb.AppendPending(nil, nil), &list); err != nil {
		tb.w.t.Fatal(err)
	}
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	return ids
}

// places lists what is stored: name and length.
func (w *damagedWorld) places() (names []string, sizes map[string]int) {
	sizes = map[string]int{}
	w.local.Damage(stream, func(name string, b []byte) []byte {
		names, sizes[name] = append(names, name), len(b)
		w.turns[name] = len(b) > 1 && b[1] == 't'
		return b
	})
	return names, sizes
}

// holds lists the pending actions that stand in one place alone: what is lost with that.
func (w *damagedWorld) holds(place string) (n int) {
	w.local.Damage(stream, func(name string, b []byte) []byte {
		if name == place && strings.HasPrefix(name, "record") && b[1] == 'c' {
			for id := range w.pending {
				if strings.Contains(string(b), id) {
					n++
				}
			}
		}
		return b
	})
	return n
}

func flipped(local *memstore.Database, place string, at int, bit int) *memstore.Database {
	c := local.Clone()
	c.Damage(stream, func(name string, b []byte) []byte {
		if name == place {
			b[at] ^= 1 << bit
		}
		return b
	})
	return c
}

// One bit flips, anywhere: the stream opens, says what is wrong, shows what can be read, and lists all that is unsent but for what stood in
// the very record.
func TestABitFlips(t *testing.T) {
	for _, alone := range []bool{false, true} {
		w := newDamagedWorld(t, alone)
		names, sizes := w.places()
		kinds := map[string]int{}
		flips, stopped := 0, 0
		unread := firstRecord(names) // the checkpoint stands for it
		for _, name := range names {
			kinds[strings.TrimRight(strings.SplitN(name, " ", 2)[0], "0123456789")]++
			step := max(1, sizes[name]/100)
			for at := 0; at < sizes[name]; at++ {
				if at > locallogHeader && at%step != 0 {
					continue
				}
				bits := []int{at % 8}
				if at < locallogHeader {
					bits = []int{0, 1, 2, 3, 4, 5, 6, 7}
				}
				for _, bit := range bits {
					flips++
					tb := w.open(flipped(w.local, name, at, bit))
					if st := tb.Status(); st.State == loop.StateStopped {
						stopped++
						if st.Reason != "corrupt" {
							t.Fatalf("%s, byte %d, bit %d: %+v", name, at, bit, st)
						}
						if _, err := tb.try(create(900, `{}`)); action.CodeOf(err) != action.CodeCorrupt {
							t.Fatalf("%s, byte %d, bit %d: a write gives %v", name, at, bit, err)
						}
					} else if !strings.HasPrefix(name, "page ~") && name != "spare" && name != unread {
						t.Fatalf("%s, byte %d, bit %d: nobody has noticed", name, at, bit)
					}
					lost := len(w.pending) - len(tb.pendingIDs())
					if most := w.holds(name); lost > most || lost < 0 && !w.turns[name] { // what a turn has told is forgotten with it
						t.Fatalf("%s, byte %d, bit %d: %d unsent actions are gone, of %d that stood there", name, at, bit, lost, most)
					}
					if got := len(tb.RejectedList()); got != len(w.rejected) && !strings.HasPrefix(name, "record") {
						t.Fatalf("%s, byte %d, bit %d: %d refused actions, not %d", name, at, bit, got, len(w.rejected))
					}
					tb.kill()
				}
			}
		}
		t.Logf("alone %v: %d bits of %v flipped, %d stopped", alone, flips, kinds, stopped)
	}
}

const locallogHeader = 10

func firstRecord(names []string) string {
	return names[slices.IndexFunc(names, func(n string) bool { return strings.HasPrefix(n, "record") })]
}

// Of each place one bit flips, and the stream is repaired: all that is unsent comes into the log once, and the replica is what a fresh one is.
func TestADamagedLogIsRepaired(t *testing.T) {
	names, sizes := newDamagedWorld(t, false).places()
	for i, name := range names {
		for variant := range 4 {
			missing, pruned := variant&1 > 0, variant&2 > 0
			w := newDamagedWorld(t, false, pruned)
			most := w.holds(name)
			local := flipped(w.local, name, sizes[name]*(i%7)/7, i%8)
			if missing {
				local.Damage(stream, func(at string, b []byte) []byte {
					if at == name {
						return nil
					}
					return b
				})
			}
			w.down = false
			tb := w.open(local)
			broken := tb.Status().State == loop.StateStopped
			repaired, failed := false, error(nil)
			tb.Repair(func(err error) { repaired, failed = true, err })
			w.Run(10 * minute)
			if !repaired || failed != nil {
				t.Fatalf("%s, missing %v: %v, %v; %+v", name, missing, repaired, failed, tb.Status())
			}
			w.converged(tb, w.other)
			if broken != (len(tb.resets) == 1) || broken && (tb.resets[0].Reason != own.ResetRepaired || tb.resets[0].Unreadable == 0) {
				t.Fatalf("%s: %+v", name, tb.resets)
			}
			if lost := w.lostOf(tb); lost > most {
				t.Fatalf("%s, missing %v: %d of what was unsent is gone, of %d: %+v; refused %+v", name, missing, lost, most, tb.resets, tb.RejectedList())
			}
			if most == 0 && tb.rows() != w.rows {
				t.Fatalf("%s, missing %v: %s", name, missing, difference(tb.rows(), w.rows))
			}
			tb.write(create(700, `{"title":"after"}`))
			tb.kill()
			again := w.open(local)
			w.Run(5 * minute)
			w.converged(again, w.other)
			if again.Status().State != loop.StateLive || !strings.Contains(again.rows(), "after") {
				t.Fatalf("%s: %+v", name, again.Status())
			}
		}
	}
}

// lostOf counts what was unsent and is neither in the log, once, nor on the rejected list.
func (w *damagedWorld) lostOf(tb *tab) (lost int) {
	in := map[string]int{}
	for _, a := range w.engine.actions[stream] {
		in[a.ID.String()]++
	}
	for id := range w.pending {
		refused := slices.ContainsFunc(tb.resets, func(r plan.Reset) bool {
			return slices.ContainsFunc(append(r.Unknown, r.Refused...), func(u action.UUID) bool { return u.String() == id })
		})
		switch n := in[id]; {
		case n > 1:
			w.t.Fatalf("%s is in the log %d times", id, n)
		case n == 0 && !refused:
			lost++
		}
	}
	return lost
}

// Without a server, what can be read is all there is.
func TestADamagedLogOfNoServerIsRepaired(t *testing.T) {
	names, _ := newDamagedWorld(t, true).places()
	for _, name := range names {
		w := newDamagedWorld(t, true)
		most := w.holds(name)
		local := flipped(w.local, name, 11, 3)
		tb := w.open(local)
		done := false
		tb.Repair(func(err error) { done = err == nil })
		w.Run(minute)
		if !done || tb.Status().Reason == "corrupt" {
			t.Fatalf("%s: %+v", name, tb.Status())
		}
		if lost := len(w.pending) - len(tb.pendingIDs()); lost > most {
			t.Fatalf("%s: %d are gone, of %d", name, lost, most)
		}
		if most == 0 && tb.rows() != w.rows {
			t.Fatalf("%s: %s", name, difference(tb.rows(), w.rows))
		}
		tb.write(create(700, `{"title":"after"}`))
		w.Run(minute)
		tb.kill()
		if again := w.open(local); !strings.Contains(again.rows(), "after") || again.Status().State == loop.StateStopped {
			t.Fatalf("%s: %+v", name, again.Status())
		}
	}
}

// A repair goes on when the network is back, and two contexts that repair at once do it once. A crash on the way leaves what was there.
func TestARepairIsInterrupted(t *testing.T) {
	w := newDamagedWorld(t, false)
	w.locks = map[*memstore.Database]*lock{}
	names, _ := w.places()
	last := ""
	for _, name := range names {
		if strings.HasPrefix(name, "record") && w.holds(name) == 0 {
			last = name
		}
	}
	local := flipped(w.local, last, 12, 1)
	a, b := w.open(local), w.open(local)
	told := 0
	for _, tb := range []*tab{a, b} {
		tb.Repair(func(err error) {
			if told++; err != nil {
				t.Error(err)
			}
		})
	}
	w.Run(5 * minute)
	if told != 0 || a.Status().State == loop.StateLive {
		t.Fatalf("repaired without the server: %d, %+v", told, a.Status())
	}
	a.kill()
	c := w.open(local)
	if c.Status().Reason != "corrupt" {
		t.Fatalf("%+v", c.Status())
	}
	w.down = false
	w.Run(20 * minute)
	if told != 1 {
		t.Errorf("%d were told", told)
	}
	w.converged(b, c)
	if b.rows() != w.rows || w.lostOf(b) != 0 {
		t.Error(difference(b.rows(), w.rows), w.lostOf(b))
	}
}

// Several places are damaged at once. What is unsent is lost only where each place that had it is.
func TestDamageInSeveralPlaces(t *testing.T) {
	for seed := range 150 {
		w := newDamagedWorld(t, seed%4 == 3, seed%2 == 0)
		names, sizes := w.places()
		in := map[string][]string{} // of an action: where it stands
		w.local.Damage(stream, func(name string, b []byte) []byte {
			for id := range w.pending {
				if strings.Contains(string(b), id) && (strings.HasPrefix(name, "record") || name == "spare" || b[1] == 'r') {
					in[id] = append(in[id], name)
				}
			}
			return b
		})
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		damaged, local := map[string]bool{}, w.local.Clone()
		for range 1 + random.IntN(4) {
			name := names[random.IntN(len(names))]
			damaged[name] = true
			local = flipped(local, name, random.IntN(sizes[name]), random.IntN(8))
		}
		w.down = false
		tb := w.open(local)
		tb.Repair(func(err error) {
			if err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
		})
		w.Run(10 * minute)
		if tb.Status().State == loop.StateStopped {
			t.Fatalf("seed %d: %+v", seed, tb.Status())
		}
		here := map[string]bool{}
		for _, id := range tb.pendingIDs() {
			here[id] = true
		}
		for _, j := range tb.RejectedList() {
			here[j.ID.String()] = true
		}
		if !w.alone {
			w.converged(tb, w.other)
			for _, a := range w.engine.actions[stream] {
				here[a.ID.String()] = true
			}
		}
		for id := range w.pending {
			if !here[id] && slices.ContainsFunc(in[id], func(name string) bool { return !damaged[name] }) {
				t.Fatalf("seed %d, damaged %v: %s is gone, and stood in %v", seed, damaged, id, in[id])
			}
		}
		tb.kill()
	}
}
