package actions

import (
	"context"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// persist is rule 3: verdicts in order, and one append of what is taken.
func (s *Streams) persist(ctx context.Context, p rights.Principal, st *stream, it *protocol.SyncRequest, r *ruling, a *answer) error {
	if it.OffersErr != nil {
		return it.OffersErr
	}
	if len(it.Offers) > 0 {
		if err := s.Takes(); err != nil {
			return err
		}
	}
	mayAppend := s.Auth.Allow(p, it.Stream, rights.Append)
	if least := s.least(it.Stream); mayAppend && len(it.Offers) > 0 && it.Schema < least {
		return &action.Error{Code: action.CodeSchema, Min: least,
			Message: "actions are taken of version " + strconv.Itoa(least) + " of the code on; these are of " + strconv.Itoa(it.Schema)}
	}
	if !mayAppend && len(it.Offers) == 0 { // a drain alone: reading goes on
		a.hasChain = true
		return nil
	}
	last := st.state.LastSeq(it.Client)
	for i := range it.Offers {
		act := &it.Offers[i]
		if act.Err != nil && act.Seq == 0 {
			continue // no valid action, without a seq: refused by itself
		}
		if act.Seq <= last {
			return web.Problem(action.CodeClient, "", "the actions do not rise in seq from above this client's last")
		}
		last = act.Seq
	}
	if mayAppend && s.Judge != nil && len(it.Offers) > 0 {
		if r.err == nil && !r.asked { // the log was another one a moment ago
			r.err = web.Problem(action.CodeUnavailable, "", "nothing is decided yet")
		}
		if r.err != nil {
			return r.err
		}
	}
	b := batch{hooked: s.Authorize != nil || s.Validate != nil}
	st.loaded = false // until the log has what the fold has, also where something panics
	if err := s.judgeAll(ctx, p, st, it, r, a, &b, mayAppend); err != nil {
		b.takeBack(st.state)
		st.loaded = true
		return err
	}
	drained := it.Drain && len(b.taken) == len(it.Offers)
	if a.hasChain = true; len(b.taken) == 0 && !drained {
		st.loaded = true
		return nil
	}
	return s.append(ctx, p, st, it, a, &b, drained)
}

// least is the version of clients' code from which on a stream's actions are taken; 0: of any.
func (s *Streams) least(stream string) int {
	if s.MinSchema == nil {
		return 0
	}
	return s.MinSchema(stream)
}

// batch is what is taken of a request: applied to the fold, and not in the log yet.
type batch struct {
	hooked   bool
	taken    []*action.Action
	entries  []engine.Entry
	undo     []state.Undo // of the entries
	work     int
	bytes    int
	measured bool // the state has been, for this batch
}

// add applies an action that is to be the next entry.
func (b *batch) add(s *state.State, a *action.Action, by string, now int64) {
	b.addWith(s, a, by, now, nil)
}

func (b *batch) addWith(s *state.State, a *action.Action, by string, now int64, effect *state.Effect) {
	b.undo = append(b.undo, state.Undo{})
	s.ApplyEntry(a, &b.undo[len(b.undo)-1], effect)
	b.bytes += len(a.Raw)
	b.entries = append(b.entries, engine.Entry{Stored: now, By: by, Chain: s.Chain, Raw: a.Raw})
}

// takeBack makes the fold what it was.
func (b *batch) takeBack(s *state.State) {
	for i := len(b.undo) - 1; i >= 0; i-- {
		s.Unapply(&b.undo[i])
	}
	*b = batch{}
}

// judgeAll gives the verdicts, in order, each on the state that those before it leave: into b what is taken, and into a what is refused.
func (s *Streams) judgeAll(ctx context.Context, p rights.Principal, st *stream, it *protocol.SyncRequest, r *ruling, a *answer, b *batch, mayAppend bool) error {
	head, now := st.state.Head, s.Now().UnixMilli()
	allowed, err := s.allow(ctx, p, st)
	if err != nil {
		return err
	}
	for i := range it.Offers {
		act := &it.Offers[i]
		reason, work := web.ErrForbidden, 0
		if mayAppend {
			if reason = s.malformed(head, act); reason == nil {
				work = st.state.Work(&act.Action)
				reason = s.tooMuch(st, &act.Action, work, b)
			}
			if reason == nil {
				reason = allowed.refuses(st, &act.Action, b)
			}
			if reason == nil {
				reason = r.refused[&act.Action]
			}
		}
		if reason == nil && b.hooked {
			var err error
			if reason, err = s.judge(ctx, &Judged{p, it.Stream, it.Schema, &act.Action, View{st.state}}); err != nil {
				a.rejected = nil
				return err
			}
		}
		if reason != nil {
			a.rejected = append(a.rejected, action.Rejection{ID: act.ID, Code: reason.Code, Message: web.Said(reason)})
			if err := web.WorkOf(ctx).Slice(ctx); err != nil {
				a.rejected = nil
				return err
			}
			continue
		}
		if len(a.rejected) > 0 || len(b.taken) > 0 && b.work+work > s.MaxTurnWork {
			break // what comes after the first refusal is neither taken nor refused, and the client offers again what would cost too much in one turn
		}
		if !allowed.bears(work) {
			if len(b.taken) == 0 {
				return errWork
			}
			break
		}
		b.work += work
		b.taken = append(b.taken, &act.Action)
		b.add(st.state, &act.Action, p.Subject, now)
		if err := web.WorkOf(ctx).Slice(ctx); err != nil {
			a.rejected = nil
			return err
		}
	}
	return nil
}

// append stores what was taken, and the unlocks of a drain. Where the engine fails, the log itself tells what came of it.
func (s *Streams) append(ctx context.Context, p rights.Principal, st *stream, it *protocol.SyncRequest, a *answer, b *batch, drained bool) error {
	expect, now := st.state.Head-uint64(len(b.entries)), s.Now().UnixMilli()
	st.loaded = false // for whoever does not come from persist
	chain := st.state.Chain
	if drained {
		held := st.state.LockedBy(it.Client)
		for len(held) > 0 {
			n := min(len(held), maxOpsPerUnlock)
			act, err := action.DecodeAction(unlockAction(s.NewID(), st.state.Head, held[:n]))
			if err != nil {
				return err
			}
			b.add(st.state, act, "", now)
			held = held[n:]
		}
	}
	if len(b.entries) == 0 {
		delete(st.leases, it.Client)
		st.loaded = true
		return nil
	}
	epoch := st.state.Epoch
	if expect == 0 {
		epoch = s.NewID()
	}
	// What has been decided is done, whether the client still listens or not.
	ctx = context.WithoutCancel(ctx)
	work := web.WorkOf(ctx)
	work.Pause()
	room, err := s.Commits.Take(ctx, work.Asker(), web.Rows(len(b.entries), b.bytes))
	if err != nil {
		b.takeBack(st.state)
		a.rejected, st.loaded = nil, true
		_ = work.Resume(ctx)
		return err
	}
	err = s.engine.Append(ctx, it.Stream, epoch, expect, b.entries)
	room.End() // what follows is little: it is done without a processor of its own
	if err != nil {
		a.rejected = nil
		s.failed(ctx, st, b, expect)
		return err
	}
	st.loaded, st.state.Epoch = true, epoch
	for _, act := range b.taken {
		st.leases.note(act, s.Now())
		st.own(act.Client, p.Subject)
		a.persisted = append(a.persisted, act.ID)
	}
	if drained {
		delete(st.leases, it.Client)
	}
	a.log = engine.Log{Epoch: st.state.Epoch, Head: st.state.Head, Chain: chain}
	st.weight += b.bytes
	st.size += b.bytes
	st.work += b.work
	s.weigh(ctx, st)
	st.watchers.Announce(st.state.Head)
	s.moved(st.name)
	if head := st.state.Head; s.OnAppended != nil {
		s.Background(func() { s.OnAppended(st.name, head) })
	}
	return nil
}

// failed is what follows where an append may be in the log or not: where the log stands as it stood, the fold does too, and is kept.
func (s *Streams) failed(ctx context.Context, st *stream, b *batch, expect uint64) {
	log, err := s.engine.Log(ctx, st.name)
	if err != nil || log.Head != expect {
		if err == nil {
			st.watchers.Announce(log.Head)
		}
		s.moved(st.name) // it may have
		return           // it is folded anew
	}
	b.takeBack(st.state)
	st.loaded = log.Epoch == st.state.Epoch && log.Chain == st.state.Chain
}

// unlockAction is the server's own action that releases objects.
func unlockAction(id action.UUID, base uint64, objects []action.UUID) string {
	b := append([]byte(`{"base":`), strconv.FormatUint(base, 10)...)
	b = append(append(b, `,"client":"`...), action.Nil.String()...)
	b = append(append(b, `","id":"`...), id.String()...)
	b = append(b, `","ops":[`...)
	for i, o := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, `{"object":"`...), o.String()...), `","op":"unlock"}`...)
	}
	return string(append(b, `],"seq":0}`...))
}
