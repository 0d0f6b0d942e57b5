package actions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// answer is one stream's part of a sync answer, in the making.
type answer struct {
	stream    string
	log       engine.Log // epoch and head of the log, chain where this answer brings the client to
	hasChain  bool
	after     uint64
	entries   []engine.Entry
	persisted []action.UUID
	rejected  []action.Rejection
	offer     *engine.Checkpoint // where entries that the client lacks are not kept, or are many
	turn      time.Duration      // for which the client holds the stream
	err       *action.Error
	marked    bool   // the client has sent marks
	common    uint64 // the highest of them that is this log's
}

// maxOpsPerUnlock is the most ops of one of the server's own entries.
const maxOpsPerUnlock = action.MaxOps

// turn answers one item by the rules of the protocol, atomically.
//
// room is what the whole answer has left for entries.
func (s *Streams) turn(ctx context.Context, p rights.Principal, it *protocol.SyncRequest, r *ruling, left *room, last time.Time) (a answer) {
	a.stream, a.after = it.Stream, it.After
	fail := func(err error) answer {
		a.err = web.ProblemOf(err)
		if (a.err.Code == action.CodeUnavailable || a.err.Code == action.CodeInternal) && ctx.Err() == nil {
			s.Log.Error("a turn failed", "stream", web.Hashed(it.Stream), "error", err)
		}
		return a
	}
	if it.Err != nil {
		return fail(it.Err)
	}
	if !s.Auth.Allow(p, it.Stream, rights.Read) {
		return fail(web.ErrForbidden)
	}
	st := s.stream(it.Stream)
	defer s.release(st)
	pushes := len(it.Offers) > 0 || it.Drain
	pusher := pushes && s.Auth.Allow(p, it.Stream, rights.Append) // nobody else has turns, or waits for one
	if err := s.enter(ctx, st, it.Client, pusher, last); err != nil {
		return fail(err)
	}
	defer st.mu.Unlock()
	leave, err := s.alone(ctx, st, pushes)
	if err != nil {
		return fail(err)
	}
	defer leave()
	log, err := s.known(ctx, st, pushes)
	if err != nil {
		return fail(err)
	}
	defer s.folded(st)
	a.log = log
	if a.marked = len(it.Marks) > 0; a.marked {
		if a.common, err = s.common(ctx, log, it); err != nil {
			return fail(err)
		}
	}
	kept, err := s.sameLog(ctx, log, it, &a)
	if err != nil {
		return fail(s.onPurpose(ctx, it, err))
	}
	if err := s.owned(ctx, st, it.Client, p, pusher); err != nil {
		return fail(err)
	}
	held := false // by this answer
	defer func() {
		if !held {
			st.pushers.answered(it.Client, s.Now())
		}
	}()
	switch {
	case it.After < log.Head:
		if err := s.fetch(ctx, st, it, &a, kept, left); err != nil {
			return fail(s.onPurpose(ctx, it, err))
		}
		if pusher && len(a.entries) > 0 {
			atHead := it.After+uint64(len(a.entries)) == log.Head
			a.turn = st.pushers.lose(it.Client, whose(ctx, p), atHead, s.Now())
			held = a.turn > 0
		}
	case pushes:
		if err := s.persist(ctx, p, st, it, r, &a); err != nil {
			return fail(err)
		}
		st.pushers.won(it.Client)
	default:
		a.hasChain = true
	}
	return a
}

// known gives the log as it is. For one who only reads there is no fold, where it is known that nobody holds a lock that may have to end.
func (s *Streams) known(ctx context.Context, st *stream, pushes bool) (engine.Log, error) {
	if !pushes && !st.loaded && st.quiet > 0 {
		log, err := s.engine.Log(ctx, st.name)
		if err != nil || log.Head == st.quiet {
			return log, err
		}
	}
	// A fold that has begun is ended, whether this client waits or not: the next one finds it.
	if err := st.load(context.WithoutCancel(ctx), s.engine); err != nil {
		return engine.Log{}, fmt.Errorf("fold a log: %v", err) // %v: whatever its code, it is not the client's fault
	}
	if err := s.expire(ctx, st); err != nil {
		if pushes {
			return engine.Log{}, err
		}
		// Who only reads does so where nothing can be written.
		if err := st.load(context.WithoutCancel(ctx), s.engine); err != nil {
			return engine.Log{}, fmt.Errorf("fold a log: %v", err)
		}
	}
	st.pushed = st.pushed || pushes
	return engine.Log{Epoch: st.state.Epoch, Head: st.state.Head, Chain: st.state.Chain}, nil
}

// fetch is rules 1 and 2: the entries that the client lacks, or the checkpoint that stands for them.
func (s *Streams) fetch(ctx context.Context, st *stream, it *protocol.SyncRequest, a *answer, kept bool, left *room) error {
	if left.most <= 0 { // the client asks for this stream again
		a.hasChain = false
		return nil
	}
	newest := st.checkpoints.get()
	entries, err := s.engine.Read(ctx, it.Stream, it.After, min(it.Limit, s.MaxEntries), min(protocol.MaxAnswerBytes, left.asked, left.most))
	if errors.Is(err, engine.ErrConflict) && newest != nil && newest.Index > it.After {
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
	n := 0
	for i := range entries {
		n += len(entries[i].Raw)
	}
	full := n > left.most && left.most < s.MaxAnswerBytes // one larger entry; the first stream gets it
	if hold := web.WorkOf(ctx).Hold(); !full && n > littleAnswer && hold != nil {
		if err := hold.Grow(answerCost * n); err != nil && left.most == s.MaxAnswerBytes {
			return err
		} else if err != nil {
			full = true
		}
	}
	if full {
		left.most, a.hasChain = 0, false
		return nil
	}
	left.asked, left.most = left.asked-n, left.most-n
	if it.After == 0 {
		a.offer = newest
	}
	a.entries, a.log.Chain, a.hasChain = entries, entries[len(entries)-1].Chain, true
	return nil
}

var errOtherLog = web.Problem(action.CodeEpoch, "", "this is another log than the one that was followed")

var errDeleted = web.Problem(action.CodeDeleted, "", "the log that was followed was deleted")

// onPurpose tells one whose log is another one by now whether his was deleted.
func (s *Streams) onPurpose(ctx context.Context, it *protocol.SyncRequest, err error) error {
	if err != error(errOtherLog) || it.Epoch == action.Nil {
		return err
	}
	deleted, derr := s.engine.Deleted(ctx, it.Epoch)
	if derr != nil {
		return derr
	}
	if deleted {
		return errDeleted
	}
	return err
}

// common is the highest of the client's marks that the log can still tell to be its own; 0 for none.
func (s *Streams) common(ctx context.Context, log engine.Log, it *protocol.SyncRequest) (uint64, error) {
	marks := slices.SortedFunc(slices.Values(it.Marks), func(a, b protocol.Mark) int { return cmp.Compare(b.Index, a.Index) })
	for _, m := range marks {
		if m.Index == 0 || m.Index < log.Oldest || m.Index > log.Head {
			continue
		}
		chain, err := s.engine.Chain(ctx, it.Stream, m.Index)
		if err != nil && !errors.Is(err, engine.ErrConflict) {
			return 0, err
		}
		if err == nil && chain == m.Chain {
			return m.Index, nil
		}
	}
	return 0, nil
}

// What entries take until they are sent: they are there as they were read, and in the answer.
const (
	answerCost   = 2
	littleAnswer = 16 << 10 // is always given
)

// sameLog is rule 0: the client follows this log, up to after. kept tells that the chain there is known.
func (s *Streams) sameLog(ctx context.Context, log engine.Log, it *protocol.SyncRequest, a *answer) (kept bool, err error) {
	switch {
	case it.After == 0:
		if a.log.Chain = 0; it.Chain != 0 {
			return false, errOtherLog
		}
		a.hasChain = log.Head == 0
		return true, nil
	case it.After > log.Head:
		return false, errOtherLog
	case it.After == log.Head:
		a.log.Chain, a.hasChain = log.Chain, true
	default:
		chain, err := s.engine.Chain(ctx, it.Stream, it.After)
		if errors.Is(err, engine.ErrConflict) { // not kept
			if it.Epoch != log.Epoch {
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
func intact(chain action.Chain, entries []engine.Entry) error {
	for i := range entries {
		if chain = chain.Next(entries[i].Raw); chain != entries[i].Chain {
			return web.Problem(action.CodeInternal, "", "a stored entry does not match its chain")
		}
	}
	return nil
}
