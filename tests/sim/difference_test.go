package sim

import (
	"regexp"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/state"
)

// mirror is what a page would hold that is fed by the differences alone: the rows as they are shown; and what the log says, with what was
// told to have changed of it.
type mirror struct {
	shown  map[action.UUID]string
	logged map[action.UUID]string
	told   map[action.UUID]bool
	all    bool
}

func rowOf(s *state.State, id action.UUID) string {
	return string(s.AppendRow(nil, id))
}

func rowsOf(s *state.State) map[action.UUID]string {
	rows := map[action.UUID]string{}
	for o := range s.Objects() {
		rows[o.ID()] = rowOf(s, o.ID())
	}
	return rows
}

// mirrored feeds it with a step's changes.
func (h *history) mirrored(tb *tab, p *plan.Plan) {
	m := h.mirrors[tb]
	for _, c := range p.Changes {
		if m == nil || !tb.is(c.Stream) {
			continue
		}
		if c.All {
			m.shown, m.all = rowsOf(tb.State()), true
		}
		for _, id := range c.Shown {
			m.take(tb, id)
		}
		for _, id := range c.Logged {
			m.told[id] = true
		}
	}
}

func (m *mirror) take(tb *tab, id action.UUID) {
	if row := rowOf(tb.State(), id); row == "" {
		delete(m.shown, id)
	} else {
		m.shown[id] = row
	}
}

var objectsIn = regexp.MustCompile(`"object":"([0-9a-f-]{36})"`)

// wrote feeds it with what a tab has written itself.
func (h *history) wrote(tb *tab, ops string) {
	if m := h.mirrors[tb]; m != nil {
		for _, found := range objectsIn.FindAllStringSubmatch(ops, -1) {
			id, _ := action.ParseUUID(found[1])
			m.take(tb, id)
		}
	}
}

// differences hold a tab's mirror to its state, and to what the log says up to its head.
func (h *history) differences(tb *tab, confirmed *state.State) {
	h.t.Helper()
	shown, logged := rowsOf(tb.State()), rowsOf(confirmed)
	if m := h.mirrors[tb]; m != nil {
		for id := range union(shown, m.shown) {
			if shown[id] != m.shown[id] {
				h.t.Fatalf("a row has changed, and nobody was told: it was %s and is %s", m.shown[id], shown[id])
			}
		}
		for id := range union(logged, m.logged) {
			if logged[id] != m.logged[id] && !m.told[id] && !m.all {
				h.t.Fatalf("the log has changed a row, and nobody was told: it was %s and is %s", m.logged[id], logged[id])
			}
		}
	}
	h.mirrors[tb] = &mirror{shown, logged, map[action.UUID]bool{}, false}
}

func union(a, b map[action.UUID]string) map[action.UUID]bool {
	ids := map[action.UUID]bool{}
	for id := range a {
		ids[id] = true
	}
	for id := range b {
		ids[id] = true
	}
	return ids
}
