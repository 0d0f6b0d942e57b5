package converge

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/core/memstore"
)

// Three profiles with two tabs each, faults of network and store, kills: afterwards every replica is the fold of the log, every action is in
// it once or told as refused or not kept, and each promise is settled once.
func TestRandomWorlds(t *testing.T) {
	for seed := range uint64(100) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { randomWorld(t, seed) }) {
			return
		}
	}
}

type liveq struct {
	q *core.Query
	l *core.Live
}

func randomWorld(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	w.server.MaxActionBytes = 600
	if seed%4 >= 2 {
		w.server.CheckpointBytes = 2000
		w.server.Keep = []uint64{0, 5, 100}[seed%3]
	}
	w.compact = []int{0, 1000, 4000}[seed%3]
	if seed%2 == 1 {
		w.locks = map[*memstore.Database]*lock{}
	}
	w.Latency = func(r *rand.Rand) int64 { return r.Int64N(40) }
	r := w.Rand()
	chaos := true
	var profiles []*memstore.Database
	for range 3 {
		p := memstore.New()
		p.Fail = func(op, _ string, lsn core.LSN) error {
			if chaos && lsn > 0 {
				switch r.IntN(40) {
				case 0:
					return errors.New("connection closing")
				case 1:
					if op == "append" && r.IntN(5) == 0 {
						return &core.Error{Code: core.CodeQuota}
					}
				}
			}
			return nil
		}
		profiles = append(profiles, p)
	}
	tabs := make([]*tab, 6)
	lives := map[*tab][]*liveq{}
	all := []*tab{}
	fault := func(int) fate {
		if !chaos || r.IntN(3) > 0 {
			return pass
		}
		return fate(r.IntN(8))
	}
	open := func(i int) {
		tb := w.openAsync(profiles[i/2])
		tb.net.fault = fault
		// hints reach the other tab
		tabs[i] = tb
		all = append(all, tb)
	}
	hints := func() {
		for i, tb := range tabs {
			if tb != nil && tb.Stream != nil && r.IntN(3) == 0 {
				tb.Refresh()
			}
			_ = i
		}
	}
	for i := range tabs {
		open(i)
	}
	w.Run(200)
	type promise struct {
		tb     *tab
		ticket uint64
	}
	ids := map[core.UUID]*promise{}
	newid := func(tb *tab) core.UUID { return tb.host.NewID() }
	for step := 0; step < 250; step++ {
		i := r.IntN(6)
		tb := tabs[i]
		if tb.Stream == nil || tb.closed != nil {
			tb.kill()
			open(i)
			w.Run(500)
			continue
		}
		o := r.IntN(12)
		id := `"object":"` + object(o) + `"`
		one := func() string {
			switch r.IntN(8) {
			case 0, 1:
				return `{"op":"create",` + id + `,"type":"todo","fields":{"n":` + fmt.Sprint(r.IntN(5)) + `,"x":[1]}` + []string{"", `,"lock":true`}[r.IntN(20)/19] + `}`
			case 2:
				return `{"op":"remove",` + id + `}`
			case 3:
				return `{"op":"update",` + id + `,"inc":{"n":1},"union":{"x":[` + fmt.Sprint(r.IntN(6)) + `]}}`
			case 4:
				return `{"op":"update",` + id + `,"unset":["n"],"without":{"x":[` + fmt.Sprint(r.IntN(6)) + `]}}`
			case 5:
				if r.IntN(4) == 0 {
					return `{"op":"update",` + id + `,"set":{"big":"` + string(make600()) + `"}}`
				}
			}
			return `{"op":"update",` + id + `,"set":{"k` + fmt.Sprint(r.IntN(4)) + `":` + fmt.Sprint(r.IntN(4)) + `}}`
		}
		ops := "[" + one()
		for range r.IntN(3) {
			o = r.IntN(12)
			id = `"object":"` + object(o) + `"`
			ops += "," + one()
		}
		ops += "]"
		d := &core.Draft{ID: newid(tb), At: w.Now(), Ops: ops, Atomic: r.IntN(3) == 0}
		if r.IntN(4) == 0 {
			d.Guards = `[{"object":"` + object(r.IntN(12)) + `","unchanged":true}]`
		}
		ticket, err := tb.Write(d)
		if err == nil {
			ids[d.ID] = &promise{tb, ticket}
		}
		if r.IntN(3) > 0 {
			tb.Pump()
		}
		switch r.IntN(30) {
		case 0:
			tb.kill()
			open(i)
		case 1:
			tb.db.Offline()
		case 2:
			tb.db.Wake("x")
		case 3:
			frozen := tb.host
			frozen.Freeze()
			w.After(r.Int64N(90_000), frozen.Thaw)
		}
		if tb.Stream != nil && len(lives[tb]) < 2 && r.IntN(5) == 0 {
			q, _ := core.ParseQuery([]string{`{}`, `{"where":{"n":{"gte":1}},"orderBy":[{"key":"n","direction":"desc"},"k1"]}`, `{"where":{"x":{"has":2}},"limit":3}`}[r.IntN(3)])
			lives[tb] = append(lives[tb], &liveq{q: q, l: tb.Subscribe(q)})
		}
		if r.IntN(2) == 0 {
			w.Run(r.Int64N(60))
		} else if r.IntN(6) == 0 {
			w.Run(r.Int64N(20000))
		}
		hints()
		for tb, qs := range lives {
			if tb.Stream == nil {
				continue
			}
			tb.Flush()
			for _, q := range qs {
				if got, want := fmt.Sprint(tb.Rows(q.l)), fmt.Sprint(tb.State().Query(q.q)); got != want {
					t.Fatalf("live differs at %d: %s / %s", step, got, want)
				}
			}
		}
	}
	chaos = false
	w.Run(2 * minute)
	for i, tb := range tabs {
		if tb.Stream == nil || tb.closed != nil {
			tb.kill()
			open(i)
		}
	}
	w.Run(3 * minute)
	for range 4 {
		for _, tb := range tabs {
			tb.Pump()
			tb.Refresh()
			tb.db.Wake("end")
		}
		w.Run(3 * minute)
	}
	w.converged(tabs...)
	entries := w.engine.logs[stream]
	in := map[core.UUID]int{}
	for _, e := range entries {
		a, _ := core.DecodeAction(e.Raw)
		in[a.ID]++
		if in[a.ID] > 1 {
			t.Fatalf("twice in the log %v", a.ID)
		}
	}
	for id, p := range ids {
		_, failed := p.tb.failed[p.ticket]
		_, refused := p.tb.refused[p.ticket]
		_, resolved := p.tb.resolved[p.ticket]
		n := 0
		for _, b := range []bool{failed, refused, resolved} {
			if b {
				n++
			}
		}
		if n > 1 {
			t.Fatalf("%v settled %d times: failed %v refused %v resolved %v", id, n, failed, refused, resolved)
		}
		dead := false
		cur := false
		for _, x := range tabs {
			cur = cur || x == p.tb
		}
		dead = !cur
		if !dead && n == 0 {
			t.Errorf("ticket %d of %v open; in log %d", p.ticket, id, in[id])
		}
		if failed && in[id] > 0 {
			t.Errorf("failed but in the log")
		}
		if refused && in[id] > 0 {
			t.Errorf("refused but in the log")
		}
		if resolved && in[id] == 0 {
			t.Errorf("resolved but not in the log")
		}
		// durable must be in the log or rejected
		if p.ticket <= p.tb.committed && !failed && !refused && in[id] == 0 && !dead {
			t.Errorf("committed and lost")
		}
	}
	if t.Failed() {
		t.Logf("%d entries, %d actions", len(entries), len(ids))
	}
}

func make600() []byte {
	b := make([]byte, 600)
	for i := range b {
		b[i] = 'b'
	}
	return b
}
