package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/rows"
)

// access is what a stream does with its local log; one thing at a time.
type access uint8

const (
	resting    access = iota
	reading           // what follows the last record here
	salvaging         // reading what remains of a log that is damaged
	founding          // writing record 0 of a log that is not there
	committing        // a record
	unsure            // whether it was kept is not known; the timer runs out before it is asked
	asking            // what the log holds in its place tells
	waiting           // a read has failed; the timer runs out before the next one
	placing           // a checkpoint of the server, in the place of the whole log
	outrunning        // it lost a race: reading the manifest that it has to be built on
	refounding        // writing record 0 of the log in memory, where the database was taken away
	moving            // and the state as it is
)

// accesses are the transitions.
var accesses = [...]uint16{
	resting:    1<<reading | 1<<committing | 1<<placing | 1<<refounding,
	reading:    1<<resting | 1<<salvaging | 1<<founding | 1<<waiting | 1<<refounding,
	salvaging:  1 << resting,
	founding:   1<<resting | 1<<reading,
	committing: 1<<resting | 1<<unsure | 1<<refounding,
	unsure:     1 << asking,
	asking:     1<<resting | 1<<unsure | 1<<refounding,
	waiting:    1<<reading | 1<<refounding,
	placing:    1<<resting | 1<<outrunning | 1<<refounding,
	outrunning: 1 << resting,
	refounding: 1<<resting | 1<<moving,
	moving:     1 << resting,
}

// Journal is the local side of one open stream. Writes that come while a record is in flight are applied in memory and share the
// next one.
type Journal struct {
	*replica.Replica
	ID       plan.StreamID
	Attended bool // open for other contexts only: nobody is told anything
	p        *Profile
	options  plan.Options

	life    life
	opener  plan.Call
	failed  error // why it could not be opened
	closers []plan.Call

	access   access
	op       plan.Op
	stale    bool  // another context may have committed: the log is read before anything else
	read     bool  // the log was read since the last try to commit
	wrote    bool  // the last record was of local writes: a turn that waits is next
	failures int   // of the store, in a row
	broken   error // why the local log cannot be followed any more: nothing can be committed
	mending  mending
	storage  *action.Error  // why it cannot be read or written now
	waiting  []*landing     // what is to become a record
	commit   commit         // of committing, unsure and asking
	shown    locallog.Shown // at the last record, not stored yet; without a text there is none
	place    *install       // of placing and outrunning
	moving   *checkpoint.Snapshot
	lookedAt int64 // when a hint of another context last led to a read

	install    *install // a checkpoint of the server on its way; nil where none is
	partial    *install // one of which a part has come before the line broke
	compaction compaction
	slot       slot

	ticket   uint64
	settling []settling
	asked    map[action.UUID][]plan.Call
	discards []discard
}

// New opens a stream: its local log is read, or made.
func New(p *Profile, id plan.StreamID, name string, o plan.Options, attended bool, call plan.Call) *Journal {
	s := &Journal{Replica: replica.New(name), ID: id, Attended: attended, p: p, options: o, opener: call}
	s.readLog()
	return s
}

// commit is a record on its way.
type commit struct {
	lsn    locallog.LSN
	record []byte
	shown  string   // at it; empty where that is known only when it has landed
	writes int      // how many local writes it holds
	upTo   uint64   // the ticket of the last one
	land   *landing // what else it is of; nil: of local writes
	plan   replica.Plan
}

// landing is what waits to become a record: an answer of the server, another client id, or a checkpoint of the server.
type landing struct {
	item    protocol.SyncItem
	answer  protocol.SyncAnswer
	rekey   bool
	install *install
}

func (s *Journal) turn(next access) {
	if accesses[s.access]>>next&1 == 0 {
		panic("journal: the way to a local log took a turn that does not exist")
	}
	s.access = next
}

// Busy tells whether the stream has something to bring to an end at its log.
func (s *Journal) Busy() bool { return s.usable() && (s.access != resting || s.queued()) }

// Broken is why nothing can be committed any more, nil where it can.
func (s *Journal) Broken() error { return s.broken }

// Storage is why the local log cannot be read or written now, nil where it can.
func (s *Journal) Storage() *action.Error { return s.storage }

// queued tells whether something waits for its turn at the log.
func (s *Journal) queued() bool { return s.Uncommits() || len(s.waiting) > 0 }

// Pump starts what can be started: a read of the log, a commit of waiting writes, or of a turn.
func (s *Journal) Pump() {
	if s.access != resting || !s.usable() || s.p.Wiping {
		return
	}
	if !s.queued() {
		s.endSlot()
	}
	switch {
	case s.queued() && s.waitsForSlot(): // and reads the log when it has it
	case s.stale && !(s.read && s.queued()): // one read between two tries
		s.readLog()
	case s.Uncommits() && !(s.wrote && len(s.waiting) > 0):
		s.commitWrites()
	case len(s.waiting) > 0:
		s.land()
	case s.life == closing:
		s.end(nil)
	}
	s.showAlone()
}

// begin begins an access.
func (s *Journal) begin(next access, a plan.Access) {
	s.turn(next)
	a.Stream = s.Name()
	s.op = s.p.Access(plan.Flight{Of: plan.OfJournal, Stream: s.ID}, a)
}

// Land makes a record of an answer, in its turn.
func (s *Journal) Land(it *protocol.SyncItem, a *protocol.SyncAnswer) {
	s.waiting = append(s.waiting, &landing{item: *it, answer: *a})
	s.Pump()
}

// Rekey gives this local log another client id, in its turn. Where the server refuses the one of a request, another copy of the
// profile, or of a database that was taken away, writes under the same one. The server said so at the log's head, so that every own
// action it has was read: what is pending now it does not have, and goes on under the new id.
func (s *Journal) Rekey(it *protocol.SyncItem) {
	s.waiting = append(s.waiting, &landing{item: *it, rekey: true})
	s.Pump()
}

// commitWrites appends the record of the waiting writes.
func (s *Journal) commitWrites() {
	record, n, upTo := s.CommitRecord()
	shown := ""
	if s.shows() && !s.skips(len(record), len(record)) {
		shown = rows.AtCommit(s.Replica, n, len(record), s.p.Pace)
	}
	s.append(commit{record: record, shown: shown, writes: n, upTo: upTo})
}

// append commits one record against the log as it is known now.
func (s *Journal) append(c commit) {
	c.lsn = s.NextLSN()
	s.commit, s.read = c, false
	s.begin(committing, plan.Access{Kind: plan.Append, LSN: c.lsn, Record: c.record, Shown: s.show(&c)})
}

// land turns the oldest landing into a record.
func (s *Journal) land() {
	l := s.waiting[0]
	s.waiting = s.waiting[1:]
	s.wrote = false
	switch {
	case s.Closed():
		s.landingEnds(l, false, nil)
		s.Pump()
		return
	case l.install != nil:
		s.placeInstall(l)
		return
	}
	p, err := s.plan(l)
	if err != nil || p.Record == nil {
		if p.Upgrade {
			s.stop("upgrade", errUnknownAction())
		}
		s.landingEnds(l, l.rekey, err)
		s.Pump()
		return
	}
	s.append(commit{record: p.Record, land: l, plan: p})
}

func errUnknownAction() error {
	return action.Fail(action.CodeUpgrade, "", "the log holds an action that this version does not know")
}

// plan turns a landing into a record.
func (s *Journal) plan(l *landing) (replica.Plan, error) {
	now := s.p.Wall()
	switch {
	case !l.rekey:
		return s.PlanTurn(&l.item, &l.answer, now, s.p.NewClient)
	case l.item.Client != s.Client() || l.item.After != s.State().Head:
		return replica.Plan{}, nil // another context has done it, or a turn was first
	}
	return s.PlanRekey(s.p.NewClient(), now), nil
}

// landingEnds takes note of what became of a landing.
func (s *Journal) landingEnds(l *landing, activity bool, err error) {
	if l.install != nil {
		s.installed(l.install, ErrClosed)
		return
	}
	s.signal(Signal{What: Landed, Activity: activity, Err: err})
}

// landingsEnd drops what waits.
func (s *Journal) landingsEnd(err error) {
	list := s.waiting
	s.waiting = nil
	for _, l := range list {
		s.landingEnds(l, false, err)
	}
}

// stored goes on after a write of the log.
func (s *Journal) stored(err error) {
	switch s.access {
	case founding:
		s.founded(err)
	case committing:
		s.committed(err)
	case placing:
		s.placed(err)
	case refounding, moving:
		s.moved(err)
	}
}

// committed goes on after an append.
func (s *Journal) committed(err error) {
	s.endSlot()
	switch storeOutcome(err) {
	case kept:
		s.turn(resting)
		s.kept()
		s.Weigh()
	case outrun:
		s.turn(resting)
		s.stale = true
		s.lostRace()
		s.notKept(nil)
	case full:
		s.turn(resting)
		s.notKept(err)
	case taken:
		s.taken(err)
		return
	default:
		s.unsure(err)
		return
	}
	s.Pump()
}

// kept goes on with a record that is durable.
func (s *Journal) kept() {
	c := s.commit
	s.commit, s.failures = commit{}, 0
	s.storageRecovered()
	if c.land == nil {
		s.Committed(c.writes, len(c.record))
		s.wrote = true
		if c.writes > 0 {
			s.tell(&plan.Committed{Stream: s.ID, UpTo: c.upTo})
		}
		s.answerDiscards(nil)
		s.StatusChanged()
		s.p.Message('m', s.Name())
		s.signal(Signal{What: Moved})
		return
	}
	was := s.Client()
	land, err := s.Follow([]*record.Record{c.plan.Turn})
	if err != nil {
		s.breakOff(err)
	} else {
		s.showTurn(&c, &land, was)
	}
	s.landed(&land, true)
	if c.plan.Upgrade {
		s.stop("upgrade", errUnknownAction())
	}
	s.p.Message('m', s.Name())
	if c.land.rekey {
		s.signal(Signal{What: Rekeyed})
	}
	s.landingEnds(c.land, true, nil)
}

// notKept goes on after a record that is not in the log: without an error where only another context was first. Local
// writes are tried again then.
func (s *Journal) notKept(err error) {
	c := s.commit
	s.commit = commit{}
	switch {
	case c.land != nil:
		s.landingEnds(c.land, err == nil, err)
	case err != nil:
		s.failWrites(err)
	}
}

// stop says that the stream cannot go on; reading does.
func (s *Journal) stop(reason string, err error) {
	s.signal(Signal{What: Stopped, Reason: reason, Err: err})
}

// failWrites takes back what is not committed: none of it was kept, and the callers are told so.
func (s *Journal) failWrites(err error) {
	s.answerDiscards(err)
	dropped, shown := s.Abandon()
	if len(dropped) == 0 {
		return
	}
	tickets := make([]uint64, len(dropped))
	for i, l := range dropped {
		tickets[i] = l.Ticket
	}
	s.tell(&plan.Failed{Stream: s.ID, Tickets: tickets, Err: err})
	s.changed(false, replica.Difference{Shown: shown})
	for _, l := range dropped {
		s.settle(l.ID)
		s.fate(l.ID, 0, nil, err)
	}
	s.StatusChanged()
}

// breakOff stops a stream whose local log cannot be followed: reading goes on, nothing more can be committed.
func (s *Journal) breakOff(err error) {
	s.broken, s.stale = err, false
	if in := s.install; in != nil { // it has nothing to be built upon
		s.p.Abort(in.op)
		s.installed(in, nil)
	}
	s.endSlot()
	s.stop(action.CodeOf(err), err)
	s.failWrites(err)
	s.landingsEnd(nil)
}
