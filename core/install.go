package core

import (
	"context"
	"errors"
	"strings"
)

// install is a checkpoint of the server on its way under what is pending here. It is fetched, read and cut into pages beside the running
// stream, in steps; then one commit puts it, with what becomes of the pending actions, in the place of the whole local log. Other contexts
// meet it as any local checkpoint that has taken the place of their records.
type install struct {
	offer CheckpointOffer
	abort context.CancelFunc
	snap  *snapshot
	tries int
}

const (
	checkpointLimit = 300_000  // a checkpoint that takes longer to fetch, in milliseconds, has failed
	readStep        = 64 << 10 // bytes of it that are read in one task
	installTries    = 5
)

// wants tells whether the checkpoint of an answer is worth more than its entries.
func (s *Stream) wants(it *SyncItem, a *SyncAnswer) bool {
	o := a.Offer
	reach := it.After + uint64(len(a.Entries))
	return o != nil && s.installing == nil && o.Index > reach && (len(a.Entries) == 0 || o.Index != s.declined)
}

// install begins one.
func (s *Stream) install(o CheckpointOffer) {
	ctx, abort := context.WithCancel(context.Background())
	in := &install{offer: o, abort: abort}
	s.installing = in
	deadline := s.db.host.After(checkpointLimit, abort)
	transport, name := s.db.transport, s.name
	s.db.host.Do(func() func() {
		text, err := transport.Checkpoint(ctx, name, &o)
		var r *CheckpointReader
		if err == nil {
			r, err = o.check(name, text)
		}
		return func() {
			deadline()
			abort()
			if err != nil {
				s.installed(in, err)
				return
			}
			s.readInstall(in, r)
		}
	})
}

// check looks whether a text is the checkpoint that was offered.
func (o *CheckpointOffer) check(stream string, text []byte) (*CheckpointReader, error) {
	r, err := NewCheckpointReader(view(text))
	if err != nil || uint64(len(text)) != o.Bytes || r.Stream != stream || r.State.Head != o.Index || r.State.Epoch != o.Epoch || r.State.Chain != o.Chain {
		return nil, &Error{Code: CodeBadAnswer, Path: "/checkpoint", Message: "it is not the checkpoint that was offered", Cause: err}
	}
	return r, nil
}

// readInstall reads the next part, each in a task of its own.
func (s *Stream) readInstall(in *install, r *CheckpointReader) {
	if s.closed || s.broken != nil {
		s.installed(in, errClosed)
		return
	}
	done, err := r.Step(readStep)
	switch {
	case err != nil:
		s.installed(in, &Error{Code: CodeBadAnswer, Path: "/checkpoint", Message: "it cannot be read", Cause: err})
	case !done:
		s.db.host.After(0, func() { s.readInstall(in, r) })
	default:
		r.State.paging = nil
		in.snap = newPaging(&manifest{}).snapshot(r.State, 0, s.log.log, nil)
		s.cutInstall(in)
	}
}

// cutInstall writes the next pages.
func (s *Stream) cutInstall(in *install) {
	if s.closed || s.broken != nil {
		s.installed(in, errClosed)
		return
	}
	if !in.snap.step() {
		s.db.host.After(0, func() { s.cutInstall(in) })
		return
	}
	s.landings = append(s.landings, s.plannedInstall(in))
	s.Pump()
}

// plannedInstall waits for the commit slot.
func (s *Stream) plannedInstall(in *install) *planned {
	return &planned{install: in, done: func(bool, error) { s.installed(in, errClosed) }}
}

// landInstall commits it, in the place of the local log as it is now.
func (s *Stream) landInstall(in *install) {
	if in.offer.Index <= s.state.Head { // another context has brought more
		s.installed(in, nil)
		s.Pump()
		return
	}
	next := s.planInstall(in.snap.s, s.db.newClient(), s.db.host.Now())
	in.snap.next.lsn, in.snap.rest = s.next, next.encodeRest()
	c := in.snap.seal(s.state.paging.base)
	c.Record = newRecord(recordInstall, 0).finish()
	s.busy = true
	store, name := s.db.store, s.name
	s.db.host.Do(func() func() {
		err := store.Checkpoint(context.Background(), name, c)
		var raw []byte
		if errors.Is(err, ErrLost) {
			raw, _ = store.Manifest(context.Background(), name) // where that fails, the next try loses again
		}
		return func() { s.landedInstall(in, next, raw, err) }
	})
}

func (s *Stream) landedInstall(in *install, next *Replica, raw []byte, err error) {
	s.busy = false
	switch {
	case s.ended:
	case err == nil:
		s.failures = 0
		next.next = in.snap.next.lsn + 1
		next.state.paging = newPaging(in.snap.next)
		s.unsure = 0
		s.adopt(next)
		s.db.tell('m', s.name)
		s.installed(in, nil)
		s.Pump()
	case errors.Is(err, ErrLost) && in.tries < installTries:
		in.tries++
		if m, merr := decodeManifest(raw); merr == nil && string(m.raw) != string(s.state.paging.base.raw) {
			s.rebasePaging(m)
		}
		s.landings = append([]*planned{s.plannedInstall(in)}, s.landings...)
		s.Refresh()
	case s.takeRefuge(err, func() { s.installed(in, err) }):
	case CodeOf(err) == CodeClosed:
		s.gone(err)
		s.installed(in, err)
	default: // also where the outcome is unknown: what the log holds now tells
		s.installed(in, asError(err, CodeStorage))
		s.Refresh()
	}
}

// installed ends it. Where it failed, the entries will do, if the server still has them.
func (s *Stream) installed(in *install, err error) {
	in.abort()
	s.installing = nil
	if code := CodeOf(err); err != nil && code != CodeUnreachable && code != CodeTimeout {
		s.declined = in.offer.Index
	}
	if s.closed {
		s.db.wake(becauseMore, true) // a turn may have found nothing but this one
		return
	}
	s.db.installed(s, err)
}

// planInstall is the replica that follows this one when a checkpoint takes the place of the log: the confirmed state is the
// checkpoint's, and its row for this client tells which of the pending actions the log has. They are not applied yet. Where the row is
// another copy's of this client, the replica goes on under the given new id.
func (r *Replica) planInstall(state *State, fresh UUID, now int64) *Replica {
	next := &Replica{name: r.name, log: r.log, state: state, lastSeq: r.lastSeq, byID: map[UUID]*local{}, touching: map[UUID]int{},
		own: append([]ownEntry(nil), r.own...), conflicts: append([]Conflict(nil), r.conflicts...), keep: r.keep, conflictBytes: r.conflictBytes}
	next.weighInverses()
	if r.state.Head > 0 || len(r.pending) > 0 { // else nothing of this client's can be in it
		next.report(Conflict{Kind: ConflictGap, Base: itoa(int(r.state.Head + 1)), Index: state.Head, At: now}, new(landing))
	}
	row, known := state.clients.get(r.log.client)
	clone := known && r.foreign(&row)
	for i := range r.rejected {
		if j := &r.rejected[i]; !known || j.ID != row.Action {
			next.rejected = append(next.rejected, *j)
		}
	}
	refused := map[UUID]bool{}
	var gone, kept []*local
	refuse := func(l *local, code, message string) {
		refused[l.ID] = true
		gone = append(gone, l)
		next.rejected = append(next.rejected, Rejected{Rejection: Rejection{ID: l.ID, Code: code, Message: message}, At: now, Action: l.Action})
	}
	for _, l := range r.pending {
		switch {
		case known && l.Seq <= row.Seq && !clone:
			o := ownEntry{id: l.ID, seq: l.Seq, undoes: undoes(l.Meta)}
			if l.ID == row.Action {
				o.index = row.Index
			}
			next.remember(o)
		case known && l.Seq <= row.Seq || !known && state.Head-r.state.Head >= clientHorizon:
			refuse(l, CodeUnknown, "a checkpoint took the place of the entries that would tell whether the server took it")
		case clone && state.standsForOld(&l.Action, fresh):
			refuse(l, CodeClient, cloneMessage)
		default:
			kept = append(kept, l)
		}
	}
	if clone {
		next.log.client, next.lastSeq = fresh, 0
		for i := range next.own {
			next.own[i].seq = 0 // it was the former id's
		}
	}
	for _, l := range kept {
		m := &local{Action: l.Action, ticket: l.ticket, bases: l.bases}
		if clone {
			next.lastSeq++
			m = l.under(next.log.client)
			m.number(next.lastSeq)
		}
		next.enqueue(m)
	}
	if len(refused) > 0 {
		next.refuseDependants(refused, gone)
	}
	return next
}

const cloneMessage = "another copy of this client has written since; under a new client id it would only be discarded"

// foreign tells whether a client's row in the log is none that this local log knows: another copy writes under the same id.
func (r *Replica) foreign(row *ClientRow) bool {
	if row.Seq > r.lastSeq {
		return true
	}
	for _, l := range r.pending {
		if l.Seq == row.Seq {
			return l.ID != row.Action
		}
	}
	for i := range r.own {
		if r.own[i].seq == row.Seq {
			return r.own[i].id != row.Action
		}
	}
	for i := range r.rejected {
		if a := &r.rejected[i].Action; a.Client == r.log.client && a.Seq == row.Seq {
			return r.rejected[i].ID != row.Action
		}
	}
	// So long ago that it is forgotten; or refused here, dealt with, and thus never taken: where the log has something of that number
	// that is newer than what is pending, another copy has written it.
	return len(r.pending) > 0 && row.Seq > r.pending[0].Seq
}

// standsForOld tells whether a pending action would be discarded only because its client has another id now: the old id holds the lock
// of an object that it names, or has touched one that it wants unchanged.
func (s *State) standsForOld(a *Action, client UUID) bool {
	for i := range a.Ops {
		if o := s.object(a.Ops[i].Object); o != nil && o.locked && o.lock == a.Client {
			return true
		}
	}
	other := *a
	other.Client = client
	for i := range a.Guards {
		if g := &a.Guards[i]; g.Kind == GuardUnchanged && s.holds(g, a) && !s.holds(g, &other) {
			return true
		}
	}
	return false
}

// refuseDependants moves the pending actions that depend on refused ones to the rejected list. Nothing pending is applied.
func (r *Replica) refuseDependants(refused map[UUID]bool, gone []*local) {
	because := r.dependants(refused, gone)
	kept := r.pending[:0:0]
	for _, l := range r.pending {
		b, depends := because[l.ID]
		if !depends {
			kept = append(kept, l)
			continue
		}
		delete(r.byID, l.ID)
		r.count(&l.Action, -1)
		r.rejected = append(r.rejected, Rejected{Rejection: Rejection{ID: l.ID, Code: CodeDepends, Message: dependsMessage, Because: b}, Action: l.Action})
	}
	r.pending = kept
}

// under is the same action under another client id, not numbered yet.
func (l *local) under(client UUID) *local {
	const member = `"client":"`
	from := strings.Index(l.Raw, member) + len(member) // only our own time and base stand before it
	end := strings.LastIndexByte(l.Raw, ':') + 1       // seq is the last member
	b := make([]byte, 0, len(l.Raw)+len(seqRoom))
	b = append(b, l.Raw[:from]...)
	b = client.Append(b)
	b = append(b, l.Raw[from+36:end]...)
	b = append(b, seqRoom+"}"...)
	m := &local{ticket: l.ticket, retries: l.retries, bases: l.bases}
	if err := decodeAction(&m.Action, view(b), nil); err != nil {
		panic(err) // it was decoded before, and nothing but an id is another
	}
	m.Seq = 0
	return m
}
