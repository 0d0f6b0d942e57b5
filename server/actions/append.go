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
func (s *Streams) persist(ctx context.Context, p rights.Principal, st *stream, it *protocol.SyncRequest, a *answer) error {
	if it.OffersErr != nil {
		return it.OffersErr
	}
	mayAppend := s.Auth.Allow(p, it.Stream, rights.Append)
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
	taken, err := s.judgeAll(ctx, p, st, it, a, mayAppend)
	if err != nil {
		return err
	}
	drained := it.Drain && len(taken) == len(it.Offers)
	if a.hasChain = true; len(taken) == 0 && !drained {
		return nil
	}
	return s.append(ctx, p, st, it, a, taken, drained)
}

// judgeAll gives the verdicts, in order: what is taken, and into a what is refused.
func (s *Streams) judgeAll(ctx context.Context, p rights.Principal, st *stream, it *protocol.SyncRequest, a *answer, mayAppend bool) (taken []*action.Action, err error) {
	hooked := s.Authorize != nil || s.Validate != nil
	var undo []state.Undo // each action is judged on the state that those before it leave
	defer func() {
		for i := len(undo) - 1; i >= 0; i-- {
			st.state.Unapply(&undo[i])
		}
		if err != nil {
			a.rejected = nil
		}
	}()
	head := st.state.Head
	for i := range it.Offers {
		act := &it.Offers[i]
		reason := web.ErrForbidden
		if mayAppend {
			if reason = s.malformed(head, act); reason == nil {
				reason = tooMuch(st.state, &act.Action)
			}
		}
		if reason == nil && hooked {
			if reason, err = s.judge(ctx, &Judged{p, it.Stream, &act.Action, View{st.state}}); err != nil {
				return nil, err
			}
		}
		if reason != nil {
			a.rejected = append(a.rejected, action.Rejection{ID: act.ID, Code: reason.Code, Message: web.Said(reason)})
			continue
		}
		if len(a.rejected) > 0 {
			break // what comes after the first refusal is neither taken nor refused
		}
		taken = append(taken, &act.Action)
		if hooked && i+1 < len(it.Offers) {
			undo = append(undo, state.Undo{})
			st.state.ApplyEntry(&act.Action, &undo[len(undo)-1], nil)
		}
	}
	return taken, nil
}

// append folds and stores what was taken, and the unlocks of a drain. When the engine fails, the fold is dropped: the
// log itself tells what came of it.
func (s *Streams) append(ctx context.Context, p rights.Principal, st *stream, it *protocol.SyncRequest, a *answer, taken []*action.Action, drained bool) error {
	expect := st.state.Head
	now := s.Now().UnixMilli()
	st.loaded = false // until the log has what the fold is about to have, also where something panics
	var entries []engine.Entry
	add := func(act *action.Action, by string) {
		st.leases.note(act, s.Now())
		st.apply(act, by)
		entries = append(entries, engine.Entry{Stored: now, By: by, Chain: st.state.Chain, Raw: act.Raw})
	}
	for _, act := range taken {
		add(act, p.Subject)
	}
	chain := st.state.Chain
	if drained {
		delete(st.leases, it.Client)
		held := st.state.LockedBy(it.Client)
		for len(held) > 0 {
			n := min(len(held), maxOpsPerUnlock)
			act, err := action.DecodeAction(unlockAction(s.NewID(), st.state.Head, held[:n]))
			if err != nil {
				return err
			}
			add(act, "")
			held = held[n:]
		}
	}
	if len(entries) == 0 {
		st.loaded = true
		return nil
	}
	if expect == 0 {
		st.state.Epoch = s.NewID()
	}
	// What has been decided is done, whether the client still listens or not.
	if err := s.engine.Append(context.WithoutCancel(ctx), it.Stream, st.state.Epoch, expect, entries); err != nil {
		a.rejected = nil
		return err
	}
	st.loaded = true
	for _, act := range taken {
		a.persisted = append(a.persisted, act.ID)
	}
	a.log = engine.Log{Epoch: st.state.Epoch, Head: st.state.Head, Chain: chain}
	for i := range entries {
		st.weight += len(entries[i].Raw)
	}
	s.weigh(st)
	st.watchers.Announce(st.state.Head)
	return nil
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
