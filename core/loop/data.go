package loop

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/journal"
	"github.com/strandline-sync/strandline/core/plan"
)

// Data is one data stream. What is queued and what is kept of it are the host's, and its requests are, too (plan.Turn): the loop decides
// when it has its turn (work.go), and what follows from how that went.
type Data struct {
	in      *member
	ended   bool
	fetched bool   // some context has it open; else what is queued of it is sent, and no more
	unsent  int    // entries that are not on the server
	offset  string // where the end of what came from the server is
	behind  bool   // the last turn has left something
	due     int64  // when it is to have a turn; 0 for not
	because string
	own     bool // it is in the memory of this context: no other one can serve it
	waited  bool // somebody waits until it has had its turns
	held    bool // what is queued did not go: pages are fetched first
}

// dataMark begins the names of data streams among those of all, and in what contexts tell one another.
const dataMark = "="

// Data is the data stream of that id, or nil.
func (db *DB) Data(id plan.StreamID) *Data {
	if m := db.known[id]; m != nil {
		d, _ := m.kind.(*Data)
		return d
	}
	return nil
}

// Name is its name.
func (d *Data) Name() string { return d.in.name[len(dataMark):] }

// Status is how it stands as apps see it.
func (d *Data) Status() Status { return d.in.status() }

// datas lists the data streams by name.
func (db *DB) datas() (out []*Data) {
	if db.work.streams > 0 {
		for _, m := range db.sorted() {
			if d, ok := m.kind.(*Data); ok {
				out = append(out, d)
			}
		}
	}
	return out
}

func (db *DB) onOpenData(e *plan.OpenData) {
	if bad := action.CheckStreamName(e.Name); bad != "" {
		db.own.Answer(e.Call, &plan.Opened{Call: e.Call, Err: action.Fail(action.CodeInvalid, "/name", bad)})
		return
	}
	if db.ending.state != running {
		db.own.Answer(e.Call, &plan.Opened{Call: e.Call, Err: journal.ErrClosed})
		return
	}
	d := db.data(dataMark + e.Name)
	d.in.attended, d.own = false, e.Own
	if d.want(becauseOpened); !d.served() {
		db.waitForLeader()
	}
	db.own.Answer(e.Call, &plan.Opened{Call: e.Call, Stream: d.in.id})
	db.own.Message('o', d.in.name)
	d.Heed(Show)
}

// data is the one of that name. One that nobody has open here is in the loop for what is queued of it, or for other contexts.
func (db *DB) data(name string) *Data {
	if m := db.streams[name]; m != nil {
		d, _ := m.kind.(*Data)
		return d
	}
	db.lastID++
	m := &member{db: db, id: db.lastID, name: name, attended: true}
	d := &Data{in: m}
	m.kind = d
	db.streams[name], db.known[m.id] = m, m
	db.work.streams++
	return d
}

func (db *DB) onQueued(e *plan.Queued) {
	name := dataMark + e.Name
	if db.ended() || action.CheckStreamName(e.Name) != "" || db.streams[name] == nil && e.Pending == 0 {
		return
	}
	d := db.data(name)
	d.unsent, d.own = e.Pending, e.Own
	switch {
	case e.Pending == 0 || !e.Wrote && !d.in.attended:
	case d.served():
		d.call(becauseEntry)
	default: // the leader does it; where it says nothing for long, this context
		db.own.Message('m', name)
		db.waitForLeader()
	}
}

// call has it have its turn soon.
func (d *Data) call(because string) {
	if db := d.in.db; !db.alone && !d.ended {
		d.due, d.because = db.own.Now(), because
	}
}

// served tells whether this context is the one that does what is to be done for it.
func (d *Data) served() bool { return d.own || d.in.db.leader.leads }

// want has it fetched from now on.
func (d *Data) want(because string) {
	d.fetched, d.in.contact.notBefore = true, 0
	if d.served() {
		d.call(because)
	}
}

// Standing is how it stands.
func (d *Data) Standing() Standing {
	st := Standing{Life: Open, Behind: d.behind, Unsent: d.unsent}
	if d.due > 0 {
		st.NextAt, st.Because = max(d.due, d.in.contact.notBefore, d.in.db.work.notBefore), d.because
	}
	if d.ended {
		st.Life = Closed
	}
	return st
}

// Unfinished tells whether something is left for the next task.
func (d *Data) Unfinished() bool { return false }

// Step takes nothing: it has no journal.
func (d *Data) Step(plan.Matter, plan.Event) {}

// Heed takes a cue of the loop's.
func (d *Data) Heed(c Cue) {
	switch c {
	case News: // another context has queued something
		d.unsent = max(1, d.unsent)
		if d.served() {
			d.call(becauseEntry)
		}
	case Show:
		d.in.db.own.StatusChanged(d.in.id)
	}
}

// Close lets go of it here. The leader sends what is queued all the same.
func (d *Data) Close(call plan.Call) {
	db := d.in.db
	if !d.in.attended {
		d.in.attended = true
		db.own.Message('c', d.in.name)
	}
	d.fetched = false
	if db.ending.state != running || !db.leader.leads {
		d.End(nil)
	}
	d.letGo()
	db.own.Done(call, nil)
}

// letGo ends it where nobody has it open, and nothing is left to send of it.
func (d *Data) letGo() {
	if d.in.attended && !d.fetched && d.unsent == 0 && !d.behind {
		d.End(nil)
	}
}

// End ends it: what is queued is the host's.
func (d *Data) End(error) {
	db := d.in.db
	if d.ended {
		return
	}
	d.ended, d.due = true, 0
	db.work.streams--
	delete(db.streams, d.in.name)
	delete(db.known, d.in.id)
}

// isData tells what a name in the loop is of.
func isData(name string) bool { return strings.HasPrefix(name, dataMark) }
