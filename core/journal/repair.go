package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
)

// A local log that is damaged is opened as far as it can be read, and cannot be written. A repair is a rebuild from what remains of it: the
// server's log takes its place, under a new client id, and what was not sent is sent.

// mending is what is known of repairs.
type mending struct {
	calls     []plan.Call // who waits for one
	pause     int64       // after one that has failed, in milliseconds
	notBefore int64       // when the next one may begin, Unix milliseconds
	as        record.Init // what the log is taken for where that cannot be read: the same each time
}

const (
	leastMendPause = 1_000
	mostMendPause  = 60_000
	salvageTries   = 3 // of a log that a store cannot read
)

// salvaged goes on with what remains of a log at its opening.
func (s *Journal) salvaged(remains *locallog.Remains, err error) {
	damage := s.broken
	s.turn(resting)
	if err == nil && action.CodeOf(damage) == action.CodeStorage { // the store cannot read it: for what it holds, or for a while
		if s.broken = nil; remains.Whole() && s.failures < salvageTries {
			s.failures++
			s.readLog()
			return
		}
		damage = &action.Error{Code: action.CodeCorrupt, Message: "the browser cannot read what it has stored", Cause: damage}
	}
	if err != nil {
		err = damage
	} else if s.Replica = s.salvage(remains); !s.Damaged() && s.failures < salvageTries { // another context has repaired it
		s.Replica = replica.New(s.Name())
		s.broken = nil
		s.failures++
		s.readLog()
		return
	}
	s.broken, s.failures = nil, 0
	if s.opened(err); s.life == open {
		s.breakOff(damage)
	}
}

func (s *Journal) salvage(remains *locallog.Remains) *replica.Replica {
	as := &s.mending.as
	if as.Log == action.Nil {
		*as = record.Init{Log: s.p.NewID(), Client: s.p.NewClient(), User: s.p.User}
	}
	if free := s.options.ConflictFree; free != nil {
		as.ConflictFree = *free
	}
	return replica.Salvage(s.Name(), *as, s.options.Conflicts, remains, s.p.Pace)
}

// mends tells whether a repair is under way.
func (s *Journal) mends() bool {
	return s.install != nil && s.install.rebuild != nil && s.install.rebuild.why.Repairs
}

// repair begins one, unless nothing is broken, or one is under way.
func (s *Journal) repair(call plan.Call) {
	m := &s.mending
	switch {
	case s.Closed() || s.Opening():
		s.p.Done(call, ErrClosed)
		return
	case s.broken == nil:
		s.p.Done(call, nil)
		return
	case action.CodeOf(s.broken) != action.CodeCorrupt:
		s.p.Done(call, s.broken)
		return
	}
	if m.calls = append(m.calls, call); s.mends() {
		return
	}
	if now := s.p.Now(); now < m.notBefore { // who asks each time that it fails is not to ask all the time
		s.setTimer(plan.MendTimer, m.notBefore-now)
		return
	}
	s.beginRepair()
}

func (s *Journal) beginRepair() {
	if s.broken == nil || s.mends() || s.Closed() {
		return
	}
	in := &install{state: installGathering, rebuild: &rebuild{why: replica.Rebuilding{Reason: own.ResetRepaired, Repairs: true}}}
	s.install = in
	s.readRemains(in)
	s.signal(Signal{What: Mending})
}

// readRemains reads what remains now: other contexts may write on.
func (s *Journal) readRemains(in *install) {
	in.state = installGathering
	in.op = s.p.Access(plan.Flight{Of: plan.OfInstall, Stream: s.ID}, plan.Access{Kind: plan.ReadRemains, Stream: s.Name()})
}

// remainsRead goes on with that.
func (s *Journal) remainsRead(remains *locallog.Remains, err error) {
	in := s.install
	switch {
	case in == nil || in.state != installGathering || !s.mends():
		return
	case err != nil:
		s.installed(in, err)
		return
	}
	re, next := in.rebuild, s.salvage(remains)
	if !next.Damaged() { // another context was first, or what could not be read can be
		if s.access == reading { // what comes of that follows the log as it was known
			s.readRemains(in)
			return
		}
		anew, err := replica.Read(s.Name(), s.options.Conflicts, remains.Log(), s.p.Pace)
		if err != nil {
			s.installed(in, err)
			return
		}
		s.adopt(anew)
		s.signal(Signal{What: Moved})
		return
	}
	re.resets = next.Resets()
	s.adopt(next)
	re.base, re.kept, re.remains = string(s.Base().Raw), nil, remains
	for _, name := range s.Kept().Names() {
		page, _ := remains.Page(name)
		re.kept = append(re.kept, page)
	}
	if in.snap != nil && s.IsAside(in.aside) { // it is folded already, and has to be placed again
		s.queueInstall(in)
		return
	}
	in.aside, in.snap = s.NewAside(), nil
	re.probe = s.probe()
	s.follow(in)
}

// probe asks what became of the log that was followed here: it may have been deleted on purpose since. nil where that is not known.
func (s *Journal) probe() *protocol.SyncItem {
	marks := s.Marks().All()
	if len(marks) == 0 || s.State().Epoch == action.Nil {
		return nil
	}
	last := marks[len(marks)-1]
	return &protocol.SyncItem{Stream: s.Name(), Client: s.Client(), After: last.Index, Epoch: s.State().Epoch, Chain: last.Chain, Limit: 1}
}

// Probed takes note of an answer to that.
func (s *Journal) Probed(it *protocol.SyncItem) {
	if re := s.install.rebuild; re.probe != nil && it.After == re.probe.After {
		re.probe = nil
	}
}

// whole takes note that the log can be followed again: here it was repaired, or in another context.
func (s *Journal) whole() {
	if s.broken == nil || s.Damaged() {
		return
	}
	s.broken = nil
	s.signal(Signal{What: Mended})
	s.StatusChanged()
	if in := s.install; s.mends() && !in.placed {
		s.p.Abort(in.op)
		s.installed(in, nil)
	}
	s.told(nil) // who waits for the next try
}

// told tells who waits for a repair what came of it.
func (s *Journal) told(err error) {
	m := &s.mending
	for _, call := range m.calls {
		s.p.Done(call, err)
	}
	m.calls = nil
	s.p.ClearTimer(plan.TimerID{Kind: plan.MendTimer, Stream: s.ID})
}

// mended goes on when a repair has ended.
func (s *Journal) mended(err error) {
	m := &s.mending
	if err == nil {
		err = s.broken
	}
	if m.pause = min(max(2*m.pause, leastMendPause), mostMendPause); err == nil {
		m.pause = 0
	}
	m.notBefore = s.p.Now() + m.pause
	if s.told(err); s.broken != nil {
		s.stop(action.CodeOf(s.broken), s.broken)
	}
}

// AsideEnds says that nobody has more of what is folded aside: no server was named. What could be read goes on.
func (s *Journal) AsideEnds() {
	in := s.install
	if !s.Following() || !s.mends() {
		return
	}
	again := s.salvage(in.rebuild.remains)
	in.rebuild.why.Alone = true
	in.aside.Begin(again.Confirmed())
	s.cut(in)
}

// AsideFails ends what is followed aside: nobody can tell what the server has.
func (s *Journal) AsideFails(err error) {
	if s.Following() {
		s.installed(s.install, err)
	}
}
