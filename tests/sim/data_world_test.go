package sim

import (
	"slices"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// dataWorld is what data streams come to, as far as the loop is concerned: how many entries the server has, and what each profile
// has queued and fetched. That each entry arrives once is tested with the script (js/src/data).
type dataWorld struct {
	w    *world
	logs map[string]int
	rows map[any]map[string]*dataRow // by profile
	tabs []*dataTab
}

type dataRow struct{ queued, fetched int }

// Of a request.
const (
	dataBatch = 3 // entries
	dataPage  = 5
)

func (dw *dataWorld) tab(tb *tab) *dataTab {
	if dw.rows == nil {
		dw.rows = map[any]map[string]*dataRow{}
	}
	if dw.rows[tb.local] == nil {
		dw.rows[tb.local] = map[string]*dataRow{}
	}
	d := &dataTab{dw: dw, tb: tb, ids: map[string]plan.StreamID{}}
	dw.tabs = append(dw.tabs, d)
	return d
}

// dataTab is the data streams of one context.
type dataTab struct {
	dw    *dataWorld
	tb    *tab
	ids   map[string]plan.StreamID
	turns int
	order []string // whose they were
	busy  int      // that are under way
	most  int      // that were at once
	// fails, where not nil, may give a request an error; done tells that the server has done it all the same.
	fails      func(name string) error
	done       func() bool
	sends      func() error // what is queued may fail by itself, too
	retryAfter int64
}

func (d *dataTab) row(name string) *dataRow {
	rows := d.dw.rows[d.tb.local]
	if rows[name] == nil {
		rows[name] = &dataRow{}
	}
	return rows[name]
}

func (d *dataTab) open(name string) {
	d.tb.db.OpenData(name, func(id plan.StreamID, err error) {
		if err != nil {
			d.dw.w.t.Error(err)
		}
		d.ids[name] = id
	})
	d.tb.db.Queued(name, d.row(name).queued, false)
}

func (d *dataTab) close(name string) {
	d.tb.db.CloseData(d.ids[name])
	delete(d.ids, name)
}

func (d *dataTab) queue(name string, n int) {
	d.row(name).queued += n
	d.tb.db.Queued(name, d.row(name).queued, true)
}

func (d *dataTab) status(name string) loop.Status {
	d.tb.db.Whole()
	return d.tb.db.Data(d.ids[name]).Status()
}

// changed tells the other contexts of the profile what is queued, as the script does.
func (d *dataTab) changed(name string) {
	for _, other := range d.dw.tabs {
		if other != d && other.tb.local == d.tb.local && !other.tb.dead && other.ids[name] != 0 {
			other.tb.host.After(2, func() { other.tb.db.Queued(name, other.row(name).queued, false) })
		}
	}
}

func (d *dataTab) work(t plan.Turn, done func(plan.Worked)) {
	d.turns++
	d.order = append(d.order, t.Name)
	d.busy++
	d.most = max(d.most, d.busy)
	e := plan.Worked{Pending: 1}
	d.tb.host.Do(func() func() {
		row := d.row(t.Name)
		if d.fails != nil {
			if e.Err = d.fails(t.Name); e.Err != nil {
				e.RetryAfter = d.retryAfter
			}
		}
		if err := e.Err; err == nil || d.done != nil && d.done() {
			if d.request(t, row, &e); err != nil {
				e.Err, e.Pending, e.More, e.Alone = err, row.queued, false, false
			}
		}
		return func() {
			d.busy--
			if e.Sent+e.Fetched > 0 {
				d.tb.db.Queued(t.Name, row.queued, false)
				d.changed(t.Name)
			}
			done(e)
		}
	})
}

// request is what js/src/data/requests.ts makes of a turn.
func (d *dataTab) request(t plan.Turn, row *dataRow, e *plan.Worked) {
	push := func() bool {
		n := min(dataBatch, row.queued)
		if n == 0 {
			return false
		}
		if d.sends != nil {
			if e.Err = d.sends(); e.Err != nil {
				return false
			}
		}
		row.queued -= n
		d.dw.append(t.Name, n)
		e.Sent, e.More = n, true
		return true
	}
	if !t.Hold && push() {
		return
	}
	if t.Fetch {
		e.Alone = true
		e.Fetched = min(dataPage, d.dw.logs[t.Name]-row.fetched)
		row.fetched += e.Fetched
		e.More = row.fetched < d.dw.logs[t.Name]
	}
	if !e.More && (!t.Hold || !push()) {
		e.Pending, e.Offset = row.queued, strconv.Itoa(row.fetched)
	}
}

// append puts entries into a log; who listens hears of it.
func (dw *dataWorld) append(name string, n int) {
	dw.logs[name] += n
	for _, d := range dw.tabs {
		if net := d.tb.net; !d.tb.dead && net.listening > 0 && slices.Contains(net.about.Data, name) {
			end := strconv.Itoa(dw.logs[name])
			d.tb.host.Do(func() func() { return func() { net.heard(protocol.Hint{Data: name, Offset: end}) } })
		}
	}
}

func codeError(code string) error { return &action.Error{Code: code, Message: "as the test says"} }
