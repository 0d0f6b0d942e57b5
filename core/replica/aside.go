package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
)

// Aside is a log of the stream that is folded beside the one that the replica follows, until it takes its place: from a checkpoint of the
// server, from its entries, or from both.
type Aside struct {
	State  *state.State
	From   uint64 // a checkpoint stands for the entries up to here
	Common uint64 // up to this index it is the log that the replica follows; 0 where that is not known
	Marks  own.Marks

	name   string
	client action.UUID
	ours   map[action.UUID]clients.Row // of the client ids, at From; without an action where there is none
	own    []own.Entry                 // entries that are this client's, behind From
	raws   []own.Kept
}

// NewAside is one that nothing has been folded of yet.
func (r *Replica) NewAside() *Aside {
	a := &Aside{State: state.NewState(), name: r.name, client: r.log.client, ours: map[action.UUID]clients.Row{r.log.client: {}}}
	for _, id := range r.former {
		a.ours[id] = clients.Row{}
	}
	return a
}

// Begin goes on from a checkpoint's state.
func (a *Aside) Begin(s *state.State) {
	a.State, a.From, a.own, a.raws = s, s.Head, nil, nil
	for id := range a.ours {
		a.ours[id], _ = s.Client(id)
	}
}

// Ask is what a request says that brings what follows. marks are of the log that the replica follows.
func (a *Aside) Ask(limit int, marks *own.Marks) protocol.SyncItem {
	s := a.State
	it := protocol.SyncItem{Stream: a.name, Client: a.client, After: s.Head, Epoch: s.Epoch, Chain: s.Chain, Limit: limit}
	if s.Head == 0 {
		it.Marks = marks.All()
	}
	return it
}

// Of tells whether it is aside of that replica, and was made under its client id of now.
func (a *Aside) Of(r *Replica) bool {
	return a.client == r.log.client && len(a.ours) == len(r.former)+1
}

// Follows tells whether an answer goes on where it is.
func (a *Aside) Follows(it *protocol.SyncItem) bool {
	return it.After == a.State.Head && it.Chain == a.State.Chain
}

// Hear takes note of what the first answer says, whatever is made of it.
func (a *Aside) Hear(an *protocol.SyncAnswer) {
	if a.State.Head == 0 {
		a.Common = an.Common
	}
}

// Take folds an answer. more says that there is more to ask for; an entry that this version does not know is an upgrade error.
func (a *Aside) Take(it *protocol.SyncItem, an *protocol.SyncAnswer, r *Replica) (more bool, err error) {
	s := a.State
	t := turnRecord{after: s.Head, chain: s.Chain}
	upgrade, err := t.take(an)
	if err == nil && upgrade {
		err = action.Fail(action.CodeUpgrade, "", "the log holds an action that this version does not know")
	}
	if err == nil && an.Left(it) { // it had no room
		return true, nil
	}
	if err == nil && len(t.entries) == 0 && s.Head < an.Head {
		err = action.Fail(action.CodeBadAnswer, "/entries", "nothing comes of what there is")
	}
	if err == nil && !an.HasChain {
		err = action.Fail(action.CodeBadAnswer, "/chain", "the answer does not say where it leads to")
	}
	if err != nil {
		return false, err
	}
	if an.HasEpoch {
		if s.Head > 0 && an.Epoch != s.Epoch { // yet another log, which is the same up to here
			a.Common = min(a.Common, s.Head)
		}
		s.Epoch = an.Epoch
	}
	var e state.Effect
	for i := range t.entries {
		en := &t.entries[i]
		r.pace.Took(4 + sized(len(en.Action.Raw)))
		if _, ours := a.ours[en.Action.Client]; !ours {
			s.ApplyEntry(&en.Action, nil, &e)
			continue
		}
		var u state.Undo
		s.ApplyEntry(&en.Action, &u, &e)
		o := ownOf(&en.Action, s.Head)
		o.Discarded, o.Reason, o.Inverse = e.Discarded, e.Why(), s.Inverse(&en.Action, &u)
		if en.Action.Client != a.client {
			o.Seq = 0
		}
		a.own = append(a.own, o)
		a.raws = append(a.raws, own.Kept{Raw: en.Action.Raw, Index: s.Head, Stored: en.Stored})
	}
	a.Marks.Put(s.Head, s.Chain)
	return s.Head < an.Head, nil
}

// where is what can be told of an action and another log.
type where uint8

const (
	there    where = iota // it has it
	notThere              // it has not
	untold                // nobody can tell
)

// tells says whether the log has an action that bears a seq of a client id, and has borne a first one. seen are those of its entries. alone
// says that nobody else has written under that id; gone, that a client's row may be missing for its age.
func (a *Aside) tells(seen map[action.UUID]bool, act *action.Action, first uint64, alone, gone bool) where {
	if seen[act.ID] {
		return there
	}
	if first == 0 {
		first = act.Seq
	}
	id, seq := act.ID, act.Seq
	row, ours := a.ours[act.Client]
	switch known := row.Action != action.Nil; {
	case a.From == 0:
		return notThere
	case id == row.Action:
		return there
	case !ours || !known && gone:
		return untold
	case !known || first > row.Seq:
		return notThere
	case seq <= row.Seq && alone && act.Client == a.client: // under a former id, another copy writes
		return there
	}
	return untold
}
