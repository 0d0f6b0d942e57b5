package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
)

// answer is one stream's part of a sync answer, in the making.
type answer struct {
	stream    string
	log       Log // epoch and head of the log, chain where this answer brings the client to
	hasChain  bool
	after     uint64
	entries   []Entry
	persisted []action.UUID
	rejected  []action.Rejection
	offer     *Checkpoint   // where entries that the client lacks are not kept, or are many
	turn      time.Duration // for which the client holds the stream
	err       *action.Error
}

// maxOpsPerUnlock is the most ops of one of the server's own entries.
const maxOpsPerUnlock = action.MaxOps

// turn answers one item by the rules of the protocol, atomically.
//
// room is what the whole answer has left for entries; an item past it still gets one.
func (s *Server) turn(ctx context.Context, p Principal, it *protocol.SyncRequest, room *int) (a answer) {
	a.stream, a.after = it.Stream, it.After
	fail := func(err error) answer {
		a.err = problemOf(err)
		if (a.err.Code == action.CodeUnavailable || a.err.Code == action.CodeInternal) && ctx.Err() == nil {
			s.Log.Error("a turn failed", "stream", hashed(it.Stream), "error", err)
		}
		return a
	}
	if it.Err != nil {
		return fail(it.Err)
	}
	if !s.Auth.Allow(p, it.Stream, Read) {
		return fail(errForbidden)
	}
	st := s.stream(it.Stream)
	defer s.release(st)
	pushes := len(it.Offers) > 0 || it.Drain
	pusher := pushes && s.Auth.Allow(p, it.Stream, Append) // nobody else has turns, or waits for one
	if err := s.enter(ctx, st, it.Client, pusher); err != nil {
		return fail(err)
	}
	defer st.mu.Unlock()
	// A fold that has begun is ended, whether this client waits or not: the next one finds it.
	if err := st.load(context.WithoutCancel(ctx), s.Engine); err != nil {
		return fail(fmt.Errorf("fold a log: %v", err)) // %v: whatever its code, it is not the client's fault
	}
	if err := s.expire(ctx, st); err != nil {
		return fail(err)
	}
	a.log = Log{Epoch: st.state.Epoch, Head: st.state.Head, Chain: st.state.Chain}
	kept, err := s.sameLog(ctx, st, it, &a)
	if err != nil {
		return fail(err)
	}
	if owner := st.owners[it.Client]; owner != "" && owner != p.Subject {
		return fail(errForbidden)
	}
	held := false // by this answer
	defer func() {
		if !held {
			st.pushers.answered(it.Client)
		}
	}()
	switch {
	case it.After < st.state.Head:
		if err := s.fetch(ctx, st, it, &a, kept, room); err != nil {
			return fail(err)
		}
		if pusher && len(a.entries) > 0 {
			atHead := it.After+uint64(len(a.entries)) == st.state.Head
			a.turn = st.pushers.lose(it.Client, atHead, s.Now())
			held = a.turn > 0
		}
	case pushes:
		if err := s.persist(ctx, p, st, it, &a); err != nil {
			return fail(err)
		}
		st.pushers.won(it.Client)
	default:
		a.hasChain = true
	}
	return a
}

var errForbidden = problem(action.CodeForbidden, "", "not allowed, or not there")

// fetch is rules 1 and 2: the entries that the client lacks, or the checkpoint that stands for them.
func (s *Server) fetch(ctx context.Context, st *stream, it *protocol.SyncRequest, a *answer, kept bool, room *int) error {
	newest := st.checkpoints.get()
	entries, err := s.Engine.Read(ctx, it.Stream, it.After, min(it.Limit, s.MaxEntries), min(protocol.MaxAnswerBytes, *room))
	if errors.Is(err, ErrConflict) && newest != nil && newest.Index > it.After {
		a.offer, a.hasChain = newest, false
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return errors.New("the engine lacks entries below its head")
	}
	if !kept && it.Chain.Next(entries[0].Raw) != entries[0].Chain {
		return errOtherLog
	}
	if err := intact(it.Chain, entries); err != nil {
		return err
	}
	for i := range entries {
		*room -= len(entries[i].Raw)
	}
	if it.After == 0 {
		a.offer = newest
	}
	a.entries, a.log.Chain, a.hasChain = entries, entries[len(entries)-1].Chain, true
	return nil
}

var errOtherLog = problem(action.CodeEpoch, "", "this is another log than the one that was followed")

// sameLog is rule 0: the client follows this log, up to after. kept tells that the chain there is known.
func (s *Server) sameLog(ctx context.Context, st *stream, it *protocol.SyncRequest, a *answer) (kept bool, err error) {
	switch {
	case it.After == 0:
		if a.log.Chain = 0; it.Chain != 0 {
			return false, errOtherLog
		}
		a.hasChain = st.state.Head == 0
		return true, nil
	case it.After > st.state.Head:
		return false, errOtherLog
	case it.After == st.state.Head:
		a.log.Chain, a.hasChain = st.state.Chain, true
	default:
		chain, err := s.Engine.Chain(ctx, it.Stream, it.After)
		if errors.Is(err, ErrConflict) { // not kept
			if it.Epoch != st.state.Epoch {
				return false, errOtherLog
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
		a.log.Chain, a.hasChain = chain, true
	}
	if a.log.Chain != it.Chain {
		return true, errOtherLog
	}
	return true, nil
}

// intact checks entries against the chains that they were stored with: what a disk or a hand has changed is not served.
func intact(chain action.Chain, entries []Entry) error {
	for i := range entries {
		if chain = chain.Next(entries[i].Raw); chain != entries[i].Chain {
			return problem(action.CodeInternal, "", "a stored entry does not match its chain")
		}
	}
	return nil
}

// hashed names a stream in the server's own log: what apps call their streams is nobody else's business.
func hashed(stream string) string {
	sum := sha256.Sum256([]byte(stream))
	return hex.EncodeToString(sum[:4])
}

// persist is rule 3: verdicts in order, and one append of what is taken.
func (s *Server) persist(ctx context.Context, p Principal, st *stream, it *protocol.SyncRequest, a *answer) error {
	if it.OffersErr != nil {
		return it.OffersErr
	}
	mayAppend := s.Auth.Allow(p, it.Stream, Append)
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
			return problem(action.CodeClient, "", "the actions do not rise in seq from above this client's last")
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
func (s *Server) judgeAll(ctx context.Context, p Principal, st *stream, it *protocol.SyncRequest, a *answer, mayAppend bool) (taken []*action.Action, err error) {
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
		reason := errForbidden
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
			a.rejected = append(a.rejected, action.Rejection{ID: act.ID, Code: reason.Code, Message: said(reason)})
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
func (s *Server) append(ctx context.Context, p Principal, st *stream, it *protocol.SyncRequest, a *answer, taken []*action.Action, drained bool) error {
	expect := st.state.Head
	now := s.Now().UnixMilli()
	st.loaded = false // until the log has what the fold is about to have, also where something panics
	var entries []Entry
	add := func(act *action.Action, by string) {
		st.leases.note(act, s.Now())
		st.apply(act, by)
		entries = append(entries, Entry{Stored: now, By: by, Chain: st.state.Chain, Raw: act.Raw})
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
	if err := s.Engine.Append(context.WithoutCancel(ctx), it.Stream, st.state.Epoch, expect, entries); err != nil {
		a.rejected = nil
		return err
	}
	st.loaded = true
	for _, act := range taken {
		a.persisted = append(a.persisted, act.ID)
	}
	a.log = Log{Epoch: st.state.Epoch, Head: st.state.Head, Chain: chain}
	for i := range entries {
		st.weight += len(entries[i].Raw)
	}
	s.weigh(st)
	st.watchers.announce(st.state.Head)
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
