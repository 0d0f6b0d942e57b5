package journal

import (
	"errors"

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
	why     replica.Rebuilding
	probe   *protocol.SyncItem // is asked first, of a repair
	remains *locallog.Remains  // of one
	resets  uint64             // how often there was one before
	base    string             // the manifest of the pages of kept actions that were read
	kept    [][]byte
}

// Rebuild begins one, for that reason.
func (s *Journal) Rebuild(reason string) {
	in := &install{aside: s.NewAside(), rebuild: &rebuild{why: replica.Rebuilding{Reason: reason}, resets: s.Resets()}}
	s.install = in
	s.gather(in)
	s.StatusChanged()
}

// gather reads the own actions that are kept: first which pages have them now, as another context may have taken a checkpoint.
func (s *Journal) gather(in *install) {
	in.state = installGathering
	in.op = s.p.Access(plan.Flight{Of: plan.OfInstall, Stream: s.ID}, plan.Access{Kind: plan.ReadManifest, Stream: s.Name()})
}

// pagesKnown reads the pages that the manifest names.
func (s *Journal) pagesKnown(raw []byte, err error) {
	in := s.install
	if in == nil || in.state != installGathering {
		return
	}
	if err == nil {
		err = s.rebase(raw)
	}
	switch {
	case action.CodeOf(err) == action.CodeCorrupt: // what is in memory here is whole, and cannot be put there
		s.breakOff(err)
		return
	case err != nil:
		s.installed(in, err)
		return
	}
	re := in.rebuild
	re.base, re.kept = string(s.Base().Raw), nil
	names := s.Kept().Names()
	if len(names) == 0 {
		s.gathered(in)
		return
	}
	in.op = s.p.Access(plan.Flight{Of: plan.OfInstall, Stream: s.ID}, plan.Access{Kind: plan.ReadPages, Stream: s.Name(), Names: names})
}

// rebase takes note of the checkpoint that the local log has now.
func (s *Journal) rebase(raw []byte) error {
	if raw == nil || string(raw) == string(s.Base().Raw) {
		return nil
	}
	m, err := locallog.DecodeManifest(raw)
	if err == nil {
		s.Checkpointed(m)
	}
	return err
}

// pagesRead goes on with what was read. What is damaged lacks; where they could not be read, all of it is tried again later.
func (s *Journal) pagesRead(pages [][]byte, err error) {
	in := s.install
	switch {
	case in == nil || in.state != installGathering:
	case errors.Is(err, locallog.ErrLost) && in.tries < installTries: // there are others by now
		in.tries++
		s.gather(in)
	case err != nil:
		s.installed(in, err)
	default:
		in.rebuild.kept = pages
		s.gathered(in)
	}
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
func (s *Journal) keptOf(in *install) []own.Kept {
	var whole [][]byte
	for _, page := range in.rebuild.kept {
		if _, err := s.Kept().All([][]byte{page}); err == nil {
			whole = append(whole, page)
		}
	}
	all, _ := s.Kept().All(whole)
	return all
}

func (s *Journal) follow(in *install) {
	in.state = installFollowing
	s.signal(Signal{What: Aside})
}

// AskAside is what the next request says of what is folded aside.
func (s *Journal) AskAside(limit int) protocol.SyncItem {
	if p := s.install.rebuild.probe; p != nil {
		return *p
	}
	if !s.IsAside(s.install.aside) { // the client id is another one by now
		s.install.aside = s.NewAside()
	}
	return s.install.aside.Ask(limit, s.Marks())
}

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
		if s.mends() {
			s.installed(in, err)
		} else {
			s.installed(in, nil)
		}
		s.stop("upgrade", err)
		return nil
	case err != nil || more:
		return err
	}
	s.cut(in)
	return nil
}

// AsideIsAnother says that yet another log is there now.
func (s *Journal) AsideIsAnother(reason string) {
	s.install.aside = s.NewAside()
	re := s.install.rebuild
	re.probe = nil
	switch {
	case re.why.Reason == own.ResetDeleted: // what was followed here stays so
	case !re.why.Repairs || reason == own.ResetDeleted:
		re.why.Reason = reason
	}
}

// overtaken ends a rebuild where another context was first.
func (s *Journal) overtaken(by uint64) {
	if in := s.install; in != nil && in.rebuild != nil && !in.placed && in.rebuild.resets != by {
		s.p.Abort(in.op)
		s.installed(in, nil)
	}
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
	return s.PlanRebuild(in.aside, re.why, s.keptOf(in), s.p.NewClient(), s.p.Wall())
}
