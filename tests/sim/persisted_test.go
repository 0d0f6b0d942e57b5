package sim

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

type fateOf struct {
	told  int
	index uint64
	code  string
	of    action.UUID // the rejected action
}

func (tb *tab) persistedOf(id action.UUID) *fateOf {
	f := &fateOf{}
	tb.OnPersisted(id, func(index uint64, rejected *replica.Rejected, err error) {
		f.told++
		f.index = index
		if err != nil {
			f.code = action.CodeOf(err)
		}
		if rejected != nil {
			f.of = rejected.Action.ID
		}
	})
	return f
}

// What became of an action can be asked by its id, before and after it is known, in another tab, and after a reload.
func TestPersistedByID(t *testing.T) {
	for _, compact := range []int{0, 1} {
		w := newWorld(t, 1)
		w.limit(600)
		w.compact = compact
		local := memstore.New()
		a, b := w.open(local), w.open(local)
		w.Run(2 * minute)
		write := func(ops string) action.UUID {
			id := a.host.NewID()
			if _, err := a.Write(&queue.Draft{ID: id, At: w.Now(), Ops: ops}); err != nil {
				t.Fatal(err)
			}
			return id
		}
		a.net.fault = func(int) fate { return lostBefore }
		b.net.fault = a.net.fault
		made, lost := write(create(1, `{}`)), write(set(1, `{"n":1}`))
		refused, depends := write(create(2, `{"a":"`+strings.Repeat("x", 700)+`"}`)), write(set(2, `{"n":1}`))
		a.Pump()
		w.Run(100)
		b.Refresh()
		w.Run(100)
		asked := map[action.UUID]*fateOf{}
		for _, id := range []action.UUID{made, lost, refused, depends} {
			asked[id] = b.persistedOf(id)
			if asked[id].told != 0 {
				t.Fatal("told before it is known")
			}
		}
		a.net.fault = nil
		a.db.Wake("online")
		w.Run(minute)
		b.Refresh()
		w.Run(1000)
		want := map[action.UUID]fateOf{made: {1, 1, "", action.Nil}, lost: {1, 2, "", action.Nil}, refused: {1, 0, action.CodeTooLarge, refused}, depends: {1, 0, action.CodeDepends, depends}}
		check := func(when string, f *fateOf, id action.UUID) {
			t.Helper()
			if *f != want[id] {
				t.Errorf("compact %d, %s: %+v, want %+v", compact, when, *f, want[id])
			}
		}
		w.Run(minute)
		c := w.open(local)
		for id, f := range asked {
			check("asked before", f, id)
			check("asked after", b.persistedOf(id), id)
			check("asked after a reload", c.persistedOf(id), id)
		}
		if f := c.persistedOf(action.UUID{1}); f.code != action.CodeNotFound {
			t.Errorf("an unknown one: %+v", f)
		}
		open := write(create(3, `{}`))
		f := a.persistedOf(open)
		a.net.fault = func(int) fate { return lostBefore }
		a.db.Close(func(error) {})
		w.Run(minute)
		if f.told != 1 || f.code != action.CodeClosed {
			t.Errorf("at the end of the stream: %+v", f)
		}
	}
}

// An atomic action that does not stand here is refused at the call, with the place, and leaves nothing behind.
func TestAtomicActionsStandOrAreRefusedAtTheCall(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	a.write(create(1, `{"n":1,"list":[]}`))
	b.write(`[{"op":"create","object":"` + object(9) + `","type":"todo","fields":{},"lock":true}]`)
	w.Run(2 * minute)
	before := a.rows()
	one := func(ops string) string { return strings.TrimSuffix(strings.TrimPrefix(ops, "["), "]") }
	for _, c := range []struct{ ops, guards, code, path string }{
		{one(set(1, `{"n":2}`)) + "," + one(create(1, `{}`)), "", action.CodeExists, "/1/id"},
		{one(set(1, `{"n":2}`)) + "," + one(set(2, `{}`)), "", action.CodeNotFound, "/1/id"},
		{one(remove(1)) + "," + one(set(1, `{}`)), "", action.CodeNotFound, "/1/id"},
		{one(set(1, `{"n":2}`)) + "," + one(remove(9)), "", action.CodeLocked, "/1/id"},
		{`{"op":"update","object":"` + object(1) + `","inc":{"list":1}}`, "", action.CodeInvalid, "/0/list"},
		{one(create(3, `{}`)), `[{"object":"` + object(1) + `","exists":true},{"object":"` + object(1) + `","key":"n","equals":3}]`, action.CodeConflict, "/if/1"},
	} {
		_, err := a.Write(&queue.Draft{ID: a.host.NewID(), At: w.Now(), Ops: "[" + c.ops + "]", Guards: c.guards, Atomic: true})
		var e *action.Error
		if action.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %s", c.ops, err, c.code)
		} else if e = err.(*action.Error); e.Path != c.path {
			t.Errorf("%s: at %s, want %s", c.ops, e.Path, c.path)
		}
	}
	if a.rows() != before || a.Status().Pending != 0 {
		t.Errorf("something was left behind:\n%s", a.rows())
	}
	w.Run(minute)
	w.converged(a, b)
}
