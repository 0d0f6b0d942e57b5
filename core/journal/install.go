package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/aside"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/rows"
	"github.com/strandline-sync/strandline/core/state"
)

// installState is what is done for a checkpoint of the server.
type installState uint8

const (
	installGathering installState = iota // the own actions that are kept are read; for a rebuild
	installFollowing                     // the loop asks for what is aside, turn by turn; for a rebuild
	installFetching                      // the request is under way
	installReading                       // in steps
	installCutting                       // into pages, in steps
	installQueued                        // for the local log
	installPlacing                       // it is written, in the place of the whole log
)

func (i installState) hasMore() bool { return i == installReading || i == installCutting }

// install is a checkpoint of the server on its way under what is pending here. It is fetched, read and cut into pages
// beside the running stream, in steps; then one commit puts it, with what becomes of the pending actions, in the place
// of the whole local log. Other contexts meet it as any local checkpoint that has taken the place of their records.
type install struct {
	state      installState
	op         plan.Op
	rebuild    *rebuild // nil: what comes is of the log that the stream follows
	aside      *aside.Log
	offer      protocol.CheckpointOffer
	idle       plan.Idle
	have       []byte // of its text
	reader     *state.CheckpointReader
	snap       *checkpoint.Snapshot
	next       *replica.Replica // what the stream goes on with when it is placed
	tries      int
	retryAfter int64
	placed     bool
}

const (
	readStep     = 64 << 10 // bytes of it that are read in one task
	installTries = 5
)

// Away tells whether something is on its way that the loop need not ask for.
func (s *Journal) Away() bool { return s.install != nil && s.install.state != installFollowing }

// Following tells whether the loop is to ask for what is folded aside, in the place of what follows the log here.
func (s *Journal) Following() bool { return s.install != nil && s.install.state == installFollowing }

// Fetch begins to install the checkpoint that the server has offered, and goes on with what is there of it.
func (s *Journal) Fetch(o protocol.CheckpointOffer, idle plan.Idle) {
	in := s.install
	if in == nil {
		in = &install{}
	}
	in.state, in.offer, in.idle, in.tries, in.retryAfter = installFetching, o, idle, 0, 0
	if p := s.partial; p != nil && p.offer.SHA256 == o.SHA256 && p.offer.Index == o.Index && p.offer.Epoch == o.Epoch {
		in.have = p.have
	}
	s.install, s.partial = in, nil
	s.fetch(in)
	s.StatusChanged()
}

func (s *Journal) fetch(in *install) {
	in.op = s.p.Request(plan.Flight{Of: plan.OfInstall, Stream: s.ID},
		plan.Request{Stream: s.Name(), Offer: &in.offer, Have: in.have, Idle: in.idle})
}

// fetched goes on with its text. Where the line broke, what has come counts.
func (s *Journal) fetched(e *plan.Answered) {
	in, err := s.install, e.Err
	if in == nil {
		return
	}
	if lineBroke(err) {
		more := len(e.Body) > len(in.have)
		if in.have = e.Body; more {
			s.fetch(in)
			return
		}
		s.partial = in // for the next try
	} else if err == nil {
		in.reader, err = checkOffer(&in.offer, s.Name(), action.View(e.Body))
	}
	if err != nil {
		in.retryAfter = e.RetryAfter
		s.installed(in, err)
		return
	}
	in.have = nil
	in.state = installReading
}

// checkOffer looks whether a text is the checkpoint that was offered.
func checkOffer(o *protocol.CheckpointOffer, stream string, text string) (*state.CheckpointReader, error) {
	r, err := state.NewCheckpointReader(text)
	if err != nil || uint64(len(text)) != o.Bytes || r.Stream != stream ||
		r.State.Head != o.Index || r.State.Epoch != o.Epoch || r.State.Chain != o.Chain {
		return nil, &action.Error{Code: action.CodeBadAnswer, Path: "/checkpoint", Cause: err,
			Message: "it is not the checkpoint that was offered"}
	}
	return r, nil
}

// installMore reads the next part, or writes the next pages.
func (s *Journal) installMore() {
	in := s.install
	switch {
	case in == nil || !in.state.hasMore():
	case s.broken != nil && !s.mends():
		s.installed(in, ErrClosed)
	case in.state == installReading:
		done, err := in.reader.Step(readStep)
		switch {
		case err != nil:
			s.installed(in, &action.Error{Code: action.CodeBadAnswer, Path: "/checkpoint", Message: "it cannot be read", Cause: err})
		case done:
			s.readOffer(in)
		}
	case in.snap.Step():
		s.queueInstall(in)
	}
}

func (s *Journal) queueInstall(in *install) {
	in.state = installQueued
	s.waiting = append(s.waiting, &landing{install: in})
	s.Pump()
}

// placeInstall commits it, in the place of the local log as it is now.
func (s *Journal) placeInstall(l *landing) {
	in := l.install
	if re := in.rebuild; re != nil && re.base != string(s.Base().Raw) && s.install == in { // another context has taken a checkpoint
		s.gather(in)
		s.Pump()
		return
	}
	switch next, err := s.planInstall(in); {
	case next == nil:
		s.installed(in, err)
		s.Pump()
		return
	default:
		in.next = next
	}
	in.state = installPlacing
	in.snap.Place(s.NextLSN(), in.next)
	in.snap.Next.Log = in.next.LogID() // what remains of a damaged log may say another one by now
	if s.shows() {
		in.next.Over(func() { in.snap.Show(rows.AtCheckpoint(in.next, s.p.Pace)) })
	}
	c := in.snap.Seal(s.Base())
	c.Record = locallog.Finish(locallog.NewRecord(locallog.KindInstall, 0))
	s.place = in
	s.begin(placing, plan.Access{Kind: plan.Replace, Checkpoint: c})
}

// planInstall is the replica that is to follow; nil where another context has brought more.
func (s *Journal) planInstall(in *install) (*replica.Replica, error) {
	if in.rebuild != nil {
		return s.planRebuild(in)
	}
	if in.aside.State.Head <= s.State().Head {
		return nil, nil
	}
	return s.PlanInstall(in.aside, s.p.NewClient(), s.p.Wall()), nil
}

// readOffer goes on with a checkpoint that was read. One that lacks what the log is known to have is of another log.
func (s *Journal) readOffer(in *install) {
	if in.rebuild != nil {
		in.aside.Begin(in.reader.State)
		s.follow(in)
		return
	}
	in.aside = s.NewAside()
	if in.aside.Begin(in.reader.State); s.Regressed(in.aside) {
		s.install = nil
		s.Rebuild(own.ResetRestored)
		return
	}
	s.cut(in)
}

// cut makes pages of what is aside.
func (s *Journal) cut(in *install) {
	in.state, in.snap = installCutting, checkpoint.Whole(in.aside.State, nil, s.LogID())
}

// placed goes on after it was written.
func (s *Journal) placed(err error) {
	in := s.place
	switch o := storeOutcome(err); {
	case o == kept:
		s.turn(resting)
		s.place, s.failures = nil, 0
		in.next.MovedTo(&in.snap.Next)
		in.placed = true
		s.adopt(in.next)
		s.p.Message('m', s.Name())
		s.installed(in, nil)
		s.Pump()
	case o == outrun && in.tries < installTries && s.mends(): // somebody has written on
		in.tries++
		s.turn(resting)
		s.place = nil
		s.readRemains(in)
	case o == outrun && in.tries < installTries:
		in.tries++
		s.begin(outrunning, plan.Access{Kind: plan.ReadManifest})
	case o == taken:
		s.taken(err)
	default: // also where the outcome is unknown: what the log holds now tells
		s.turn(resting)
		s.place = nil
		s.installed(in, action.AsError(err, action.CodeStorage))
		s.Refresh()
	}
}

// outrun goes on with the manifest that another context has written meanwhile. Where that cannot be read, the next try loses again.
func (s *Journal) outrun(raw []byte) {
	in := s.place
	s.turn(resting)
	s.place = nil
	if err := s.rebase(raw); action.CodeOf(err) == action.CodeCorrupt {
		s.breakOff(err)
		return
	}
	in.state = installQueued
	s.waiting = append([]*landing{{install: in}}, s.waiting...)
	s.Refresh()
}

// installed ends it.
func (s *Journal) installed(in *install, err error) {
	if s.install != in {
		return
	}
	mends := s.mends()
	s.install = nil
	if mends {
		s.mended(err)
	}
	s.StatusChanged()
	s.signal(Signal{What: Installed, Err: err, Known: in.placed, Index: in.offer.Index, RetryAfter: in.retryAfter})
}

// endInstall lets go of what is under way: the stream leaves.
func (s *Journal) endInstall() {
	if in := s.install; in != nil {
		s.p.Abort(in.op)
		s.installed(in, ErrClosed)
	}
}
