package journal

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/replica"
)

// rebuild is an install of another log than the one that the stream follows: it is folded aside, from a checkpoint or from nothing, as
// far as the server has it; then it takes the place of the local log in one commit, as a checkpoint does. The stream can be read and
// written to all the time.
type rebuild struct {
	reason string
	resets uint64 // how often there was one before
	base   string // the manifest of the pages of kept actions that were read
	kept   [][]byte
}

// Rebuild begins one, for that reason.
func (s *Journal) Rebuild(reason string) {
	in := &install{aside: s.NewAside(), rebuild: &rebuild{reason: reason, resets: s.Resets()}}
	s.install, s.partial = in, nil
	s.gather(in)
	s.StatusChanged()
}

// gather reads the own actions that are kept.
func (s *Journal) gather(in *install) {
	re := in.rebuild
	in.state, re.base, re.kept = installGathering, string(s.Base().Raw), nil
	names := s.Kept().Names()
	if len(names) == 0 {
		s.gathered(in)
		return
	}
	in.op = s.p.Access(plan.Flight{Of: plan.OfInstall, Stream: s.ID}, plan.Access{Kind: plan.ReadPages, Stream: s.Name(), Names: names})
}

// pagesRead goes on with what was read. What is damaged lacks; for the rest of it the rebuild is tried again later.
func (s *Journal) pagesRead(pages [][]byte, err error) {
	in := s.install
	if in == nil || in.state != installGathering {
		return
	}
	if err == nil {
		in.rebuild.kept = pages
	}
	if _, err = s.keptOf(in); err != nil && storeOutcome(err) != unreadable {
		s.installed(in, err)
		return
	}
	s.gathered(in)
}

// gathered goes on when they are there: with what is to be folded, or, where that was done before, with its place.
func (s *Journal) gathered(in *install) {
	if in.snap != nil {
		s.queueInstall(in)
		return
	}
	s.follow(in)
}

// keptOf gives them. A page that is damaged lacks.
func (s *Journal) keptOf(in *install) (all []own.Kept, err error) {
	var whole [][]byte
	for _, page := range in.rebuild.kept {
		if _, perr := s.Kept().All([][]byte{page}); perr != nil {
			err = perr
			continue
		}
		whole = append(whole, page)
	}
	all, _ = s.Kept().All(whole)
	return all, err
}

func (s *Journal) follow(in *install) {
	in.state = installFollowing
	s.signal(Signal{What: Aside})
}

// AskAside is what the next request says of what is folded aside.
func (s *Journal) AskAside(limit int) protocol.SyncItem { return s.install.aside.Ask(limit, s.Marks()) }

// AsksAside tells whether a request was about that, as it is now.
func (s *Journal) AsksAside(it *protocol.SyncItem) bool {
	return s.Following() && s.install.aside.Follows(it)
}

// HearAside takes note of what an answer says, whatever is made of it.
func (s *Journal) HearAside(a *protocol.SyncAnswer) { s.install.aside.Hear(a) }

// TakeAside folds an answer.
func (s *Journal) TakeAside(it *protocol.SyncItem, a *protocol.SyncAnswer) error {
	in := s.install
	more, err := in.aside.Take(it, a, s.p.Pace)
	switch {
	case action.CodeOf(err) == action.CodeUpgrade:
		s.stop("upgrade", err)
		s.installed(in, nil)
		return nil
	case err != nil || more:
		return err
	}
	s.cut(in)
	return nil
}

// AsideIsAnother says that yet another log is there now.
func (s *Journal) AsideIsAnother(reason string) {
	s.install.aside, s.install.rebuild.reason = s.NewAside(), reason
}

// planRebuild is the replica that is to follow; nil where that cannot be told now, or is not needed any more.
func (s *Journal) planRebuild(in *install) (*replica.Replica, error) {
	re := in.rebuild
	switch {
	case re.resets != s.Resets(): // another context was first
		return nil, nil
	case re.base != string(s.Base().Raw) || !s.IsAside(in.aside):
		return nil, locallog.ErrLost
	}
	all, _ := s.keptOf(in)
	return s.PlanRebuild(in.aside, re.reason, all, s.p.NewClient(), s.p.Wall())
}
