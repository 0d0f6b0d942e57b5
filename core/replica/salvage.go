package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/state"
)

// A local log that is damaged is read as far as it goes: what comes before the damage as ever, and of what lies behind it, what is unsent.
// Nothing can be written upon it; a repair puts the server's log in its place (PlanRebuild).

// salvage is a replica in the making, of what remains of its local log.
type salvage struct {
	*Replica
	remains *locallog.Remains
	sure    int // from which of the records behind the damage on no turn is missing
}

// damage is what is known of a local log that could not be read whole.
type damage struct {
	places  int  // how many records and pages could not be read; 0 for a log that is whole
	turns   bool // one of them may have been a turn that gave the log another client id
	objects bool // some of the confirmed state is missing
}

// Salvage reads what remains of a local log. as is what it is taken for where that cannot be read.
func Salvage(name string, as record.Init, keep int, remains *locallog.Remains, p *pace.Pace) *Replica {
	s := &salvage{Replica: New(name), remains: remains}
	s.fresh, s.conflicts.Keep, s.pace = true, keep, p
	from, whole := s.readBase()
	behind := s.readRecords(from, whole)
	s.rebaseAll(func() { s.readBehind(behind) })
	if s.log.Log == action.Nil {
		if s.log.Client != action.Nil {
			as.Client = s.log.Client
		}
		s.log = as
	}
	s.fresh = false
	if n := len(remains.Records); n > 0 {
		s.next = remains.Records[n-1].LSN + 1
	}
	return s.Replica
}

// Damaged tells whether the local log could not be read whole: nothing can be written upon it.
func (r *Replica) Damaged() bool { return r.damage.places > 0 }

// Mended tells whether it was repaired after the log of another replica was read: it may have another name, and know of no repair before.
func (r *Replica) Mended(since *Replica) bool {
	list := r.resets
	if r.log.Log == since.log.Log {
		list = list.Since(since.Resets())
	}
	for i := range list {
		if list[i].Unreadable > 0 {
			return true
		}
	}
	return false
}

// Confirmed is the state that a salvaged replica was read to, without what is pending, which is not there any more. Where some of it is
// missing, no log leads to it: a server that is asked again says so, and the stream is rebuilt.
func (r *Replica) Confirmed() *state.State {
	all := r.q.All()
	for i := len(all) - 1; i >= 0; i-- {
		r.unapply(all[i])
	}
	if r.damage.objects {
		r.state.Chain++
	}
	return r.state
}

// readBase reads the checkpoint, and says which record comes next, and whether the checkpoint, or record 0, is whole.
func (s *salvage) readBase() (next locallog.LSN, whole bool) {
	if len(s.remains.Pages) == 0 && s.remains.Manifest == nil {
		return 0, true
	}
	m, err := locallog.DecodeManifest(s.remains.Manifest)
	if err != nil {
		s.damage.places++
		m = s.remains.Guessed()
	}
	whole = len(m.Rest) > 0
	for i := range m.Pages {
		b, _ := s.remains.Page(m.Pages[i].Name)
		d, err := locallog.Open(b, locallog.KindPage)
		if err == nil {
			err = s.state.ReadPage(d)
		}
		if err != nil {
			s.damage.places++
			whole, s.damage.objects = false, true
		}
	}
	there := *m // without the pages of own actions that are not
	there.Kept = nil
	for _, p := range m.Kept {
		if _, ok := s.remains.Page(p.Name); ok {
			there.Kept = append(there.Kept, p)
		}
	}
	var rest []byte
	for _, name := range m.Rest {
		b, _ := s.remains.Page(name)
		rest = append(rest, b...)
	}
	if s.readRest(rest, &there) != nil {
		whole = false
		fresh := New(s.name) // it may have been read in part
		fresh.state, fresh.fresh, fresh.conflicts.Keep, fresh.pace = s.state, true, s.conflicts.Keep, s.pace
		fresh.damage = damage{places: s.damage.places + 1, objects: true}
		if s.Replica = fresh; s.readSpare(s.remains.Spare) != nil {
			s.damage.places++
		}
	}
	for _, l := range s.q.Pending {
		s.apply(l)
	}
	base := &locallog.Manifest{LSN: m.LSN, Log: m.Log, Raw: s.remains.Manifest, Kept: there.Kept}
	for i := range s.remains.Pages { // all of it is to go
		if name := s.remains.Pages[i].Name; !locallog.IsBehind(name) {
			base.Rest = append(base.Rest, name)
		}
	}
	s.track(base, false)
	return m.LSN + 1, whole
}

// readRecords follows the records from one on, up to the first one that cannot be; what is left is behind that. Where the checkpoint is
// damaged, there is nothing to follow them upon.
func (s *salvage) readRecords(from locallog.LSN, whole bool) (behind []*record.Record) {
	next := from
	for i := range s.remains.Records {
		r := &s.remains.Records[i]
		if r.LSN < from {
			continue
		}
		if r.LSN != next { // some are missing
			s.damage.places++
			whole, s.damage.turns, s.sure = false, true, len(behind)
		}
		next = r.LSN + 1
		rec, err := record.Decode(r.Bytes)
		if err == nil && whole {
			if _, err = s.Follow([]*record.Record{rec}); err == nil {
				continue
			}
		}
		whole = false
		if rec != nil {
			behind = append(behind, rec)
		}
		if err != nil {
			s.damage.places++
			if len(r.Bytes) < 2 || locallog.Kind(r.Bytes[1]) != locallog.KindCommit {
				s.damage.turns, s.sure = true, len(behind)
			}
		}
	}
	return behind
}

// readBehind takes what records say of own actions that lie behind what cannot be read. Nothing pending is applied.
func (s *salvage) readBehind(records []*record.Record) {
	var land Landing
	client := s.log.Client
	for i, rec := range records {
		switch rec.Kind {
		case locallog.KindInit:
			s.log = rec.Init
		case locallog.KindCommit:
			for j := range rec.Actions {
				s.found(&rec.Actions[j])
			}
			if i >= s.sure && len(rec.Actions) > 0 && rec.Actions[0].Client == client { // what is missing has given it no other id
				s.damage.turns = false
			}
			s.dismiss(rec.Dismissed...)
			s.takeOut(setOf(rec.Dismissed)) // also where what told that they were refused cannot be read
		case locallog.KindTurn:
			s.heard(&rec.Turn, &land)
		}
	}
}

// found takes an own action for pending, unless more is known of it.
func (s *salvage) found(a *action.Action) {
	if a.Client != s.log.Client {
		if s.log.Client != action.Nil {
			s.former = append(s.former, s.log.Client)
		}
		s.log.Client, s.lastSeq = a.Client, 0
	}
	s.lastSeq = max(s.lastSeq, a.Seq)
	if s.q.Get(a.ID) == nil && s.own.Find(a.ID) == nil && !s.IsRejected(a.ID) {
		s.q.Enqueue(&queue.Local{Action: *a})
	}
}

// heard takes what a turn says of what was sent.
func (s *salvage) heard(t *record.Turn, land *Landing) {
	gone := map[action.UUID]bool{}
	index := t.After
	has := func(a *action.Action) {
		if index++; s.q.Get(a.ID) == nil && a.Client != s.log.Client && !slices.Contains(s.former, a.Client) {
			return
		}
		gone[a.ID] = true
		s.dismiss(a.ID) // it was refused here, and is taken after all
		o := own.Under(s.log.Client, a, index)
		o.Reason = own.ReasonUntold
		s.remember(o, a.Raw, 0, t.At)
	}
	for i := range t.Entries {
		has(&t.Entries[i].Action)
	}
	for _, id := range t.Persisted {
		if a := s.offered(id); a != nil {
			has(a)
		} else {
			index++
		}
	}
	s.state.Epoch = t.Epoch
	s.marks.Put(index, t.Chain)
	s.leave(t, gone, land)
	if t.Rekey != action.Nil {
		s.goOnAs(t.Rekey, t.At, land)
	}
}

func setOf(ids []action.UUID) map[action.UUID]bool {
	out := make(map[action.UUID]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out
}

// Spare is once more what nobody else has, beside a checkpoint.
func (r *Replica) Spare() []byte {
	e := locallog.NewRecord(locallog.KindSpare, 1024)
	r.log.Write(e)
	e.Uint(r.lastSeq)
	e.UUID(r.state.Epoch)
	e.Uint(uint64(len(r.former)))
	for _, id := range r.former {
		e.UUID(id)
	}
	r.marks.Write(e)
	e.Uint(uint64(len(r.q.Pending)))
	for _, l := range r.q.Pending {
		e.String(l.Raw)
		e.Uint(l.First)
		r.pace.Took(pace.Look + pace.Sized(len(l.Raw)))
	}
	r.rejected.Write(e)
	r.resets.Write(e)
	return locallog.Finish(e)
}

func (r *Replica) readSpare(b []byte) error {
	d, err := locallog.Open(b, locallog.KindSpare)
	if err != nil {
		return err
	}
	r.log = record.ReadInit(d)
	r.lastSeq, r.state.Epoch = d.Uint(), d.UUID()
	for range d.Count(16) {
		r.former = append(r.former, d.UUID())
	}
	r.marks.Read(d)
	for range d.Count(3) {
		l := new(queue.Local)
		if err := d.Action(&l.Action, &r.slab); err != nil {
			return err
		}
		l.First = d.Uint()
		r.q.Enqueue(l)
	}
	if err := r.rejected.Read(d, &r.slab); err != nil {
		return err
	}
	r.resets.Read(d, false)
	if !d.Ended() {
		return action.Corrupt("a local record has a broken body")
	}
	return nil
}
