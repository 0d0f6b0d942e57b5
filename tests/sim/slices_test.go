package sim

import (
	"fmt"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/state"
)

// No step works for long: ten thousand pending actions are of one object that others change meanwhile, another
// context of the profile writes to it, and reads all of it at its start.
func TestNoStepWorksForLong(t *testing.T) {
	w := newWorld(t, 1)
	w.locks = map[*memstore.Database]*lock{}
	most, cut := 0, 0
	w.change = func(tb *tab, c *virtual.Config) {
		c.Compact = 1 << 20
		var of *state.State
		before := 0
		c.Trace = func(e plan.Event, _ *plan.Plan) {
			if tb.db.Working() {
				cut++
			}
			if tb.Stream == nil {
				return
			}
			s := tb.Stream.Stream.State() // as it is in the middle of a step
			units := pace.Apply*s.Counts.Applied + pace.Unapply*s.Counts.TakenBack
			if _, whole := e.(*plan.Whole); !whole && s == of {
				most = max(most, units-before)
			}
			of, before = s, units
		}
	}
	local := memstore.New()
	a, b := w.open(local), w.open(memstore.New())
	a.write(create(1, `{"n":0}`))
	w.Run(minute)
	a.net.fault = func(int) fate { return lostBefore }
	const many = 10_000
	for range many {
		a.write(fmt.Sprintf(`[{"op":"update","object":"%s","inc":{"n":1}}]`, object(1)))
	}
	w.Run(1000)
	again := w.open(local)
	again.write(fmt.Sprintf(`[{"op":"update","object":"%s","inc":{"n":1}}]`, object(1)))
	for n := range 20 {
		b.write(set(1, fmt.Sprintf(`{"m":%d}`, n)))
	}
	w.Run(minute)
	a.net.fault = nil
	w.Run(10 * minute)
	w.converged(a, b, again)
	if got, _ := a.State().Object(uuid(object(1))).Value("n"); got != fmt.Sprint(many+1) {
		t.Errorf("n is %s", got)
	}
	if cut < 10 {
		t.Errorf("%d steps were cut", cut)
	}
	if most > pace.Slice+100 { // the last action may be a large one
		t.Errorf("a step did %d units of work at once", most)
	}
}

// What happens in the middle of a step waits until it is done; who asks has it done first.
func TestNobodySeesHalfAStep(t *testing.T) {
	w := newWorld(t, 1)
	halves := 0
	var a *tab
	w.change = func(tb *tab, c *virtual.Config) {
		c.Slice = 1
		c.Trace = func(plan.Event, *plan.Plan) {
			if tb != a || !tb.db.Working() || halves > 100 {
				return
			}
			tb.host.After(0, func() { // comes before the rest of the step
				if !tb.db.Working() {
					return
				}
				halves++
				tb.write(set(7, fmt.Sprintf(`{"n":%d}`, halves)))
				if got, _ := tb.State().Object(uuid(object(7))).Value("n"); got != fmt.Sprint(halves) {
					t.Errorf("the write is not seen: %s", got)
				}
				for n := 100; n < 150; n += 10 { // ten came with one action
					if tb.State().Exists(uuid(object(n))) != tb.State().Exists(uuid(object(n+9))) {
						t.Error("half of an action is seen")
					}
				}
			})
		}
	}
	b := w.open(memstore.New())
	a = w.open(memstore.New())
	a.net.fault = func(int) fate { return lostBefore }
	for n := range 50 {
		a.write(create(n, `{"n":1}`))
	}
	for n := 100; n < 150; n += 10 {
		ops := `{"op":"update","object":"` + object(7) + `","set":{"m":` + fmt.Sprint(n) + `}}`
		for m := range 10 {
			ops += `,{"op":"create","object":"` + object(n+m) + `","type":"todo","fields":{}}`
		}
		b.write("[" + ops + "]")
	}
	w.Run(minute)
	a.net.fault = nil
	a.db.Wake("now")
	w.Run(2 * minute)
	if halves == 0 {
		t.Error("no step was met in its middle")
	}
	w.converged(a, b)
}

func uuid(s string) action.UUID {
	id, _ := action.ParseUUID(s)
	return id
}
