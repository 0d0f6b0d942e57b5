// Package aside folds a log of the server's beside the one that a replica follows, until it takes its place.
package aside

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
)

// Log is a log of the stream that is folded beside the one that the replica follows, until it takes its place: from a checkpoint of the
// server, from its entries, or from both.
type Log struct {
	State  *state.State
	From   uint64 // a checkpoint stands for the entries up to here
	Common uint64 // up to this index it is the log that the replica follows; 0 where that is not known
	Marks  own.Marks

	name    string
	client  action.UUID
	ours    map[action.UUID]clients.Row // of the client ids, at From; without an action where there is none
	knows   func(id action.UUID) bool   // of actions that others may have made
	entries []own.Entry                 // those that are this client's, behind From
	raws    []own.Kept
}

// New is one that nothing has been folded of yet, aside of a stream that is followed under a client id, and was under others.
func New(name string, client action.UUID, former []action.UUID, knows func(id action.UUID) bool) *Log {
	a := &Log{knows: knows, State: state.NewState(), name: name, client: client, ours: map[action.UUID]clients.Row{client: {}}}
	for _, id := range former {
		a.ours[id] = clients.Row{}
	}
	return a
}

// Begin goes on from a checkpoint's state.
func (a *Log) Begin(s *state.State) {
	a.State, a.From, a.entries, a.raws = s, s.Head, nil, nil
	for id := range a.ours {
		a.ours[id], _ = s.Client(id)
	}
}

// Ask is what a request says that brings what follows. marks are of the log that the replica follows.
func (a *Log) Ask(limit int, marks *own.Marks) protocol.SyncItem {
	s := a.State
	it := protocol.SyncItem{Stream: a.name, Client: a.client, After: s.Head, Epoch: s.Epoch, Chain: s.Chain, Limit: limit}
	if s.Head == 0 {
		it.Marks = marks.All()
	}
	return it
}

// Of tells whether it was made for that client id, after so many others.
func (a *Log) Of(client action.UUID, former int) bool {
	return a.client == client && len(a.ours) == former+1
}

// Follows tells whether an answer goes on where it is.
func (a *Log) Follows(it *protocol.SyncItem) bool {
	return it.After == a.State.Head && it.Chain == a.State.Chain
}

// Hear takes note of what the first answer says, whatever is made of it.
func (a *Log) Hear(an *protocol.SyncAnswer) {
	if a.State.Head == 0 {
		a.Common = an.Common
	}
}

// Take folds an answer. more says that there is more to ask for; an entry that this version does not know is an upgrade error.
func (a *Log) Take(it *protocol.SyncItem, an *protocol.SyncAnswer, p *pace.Pace) (more bool, err error) {
	s := a.State
	entries, _, upgrade, err := Entries(an, s.Head, s.Chain)
	if err == nil && upgrade {
		err = action.Fail(action.CodeUpgrade, "", "the log holds an action that this version does not know")
	}
	if err == nil && an.Left(it) { // it had no room
		return true, nil
	}
	if err == nil && len(entries) == 0 && s.Head < an.Head {
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
	for i := range entries {
		en := &entries[i]
		p.Took(pace.Fold + pace.KiB*len(en.Action.Raw)>>10)
		_, ours := a.ours[en.Action.Client]
		if _, made := a.ours[en.Action.For.Client]; !ours && !made && !a.knows(en.Action.ID) {
			s.ApplyEntry(&en.Action, nil, &e)
			continue
		}
		var u state.Undo
		s.ApplyEntry(&en.Action, &u, &e)
		o := own.Under(a.client, &en.Action, s.Head)
		o.Discarded, o.Reason, o.Inverse = e.Discarded, e.Why(), s.Inverse(&en.Action, &u)
		a.entries = append(a.entries, o)
		a.raws = append(a.raws, own.Kept{Raw: en.Action.Raw, Index: s.Head, Stored: en.Stored})
	}
	a.Marks.Put(s.Head, s.Chain)
	return s.Head < an.Head, nil
}

// Own are the entries behind From that are this client's, and their actions.
func (a *Log) Own() ([]own.Entry, []own.Kept) { return a.entries, a.raws }

// Row is what a checkpoint says of one of this client's ids, at From; without an action it says nothing.
func (a *Log) Row(client action.UUID) clients.Row { return a.ours[client] }

// Has is what can be told of an action and another log.
type Has uint8

const (
	Yes     Has = iota // it has it
	No                 // it has not
	Unknown            // nobody can tell
)

// Tells says whether the log has an action that bears a seq of a client id, and has borne a first one. seen are those of its entries. alone
// says that nobody else has written under that id; gone, that a client's row may be missing for its age.
func (a *Log) Tells(seen map[action.UUID]bool, act *action.Action, first uint64, alone, gone bool) Has {
	if seen[act.ID] || a.State.Has(act.ID, action.Maker{}) {
		return Yes
	}
	if first == 0 {
		first = act.Seq
	}
	if _, made := a.ours[act.For.Client]; !made && a.From > 0 && a.State.MayHave(act.For) {
		return Unknown
	}
	id, seq := act.ID, act.Seq
	row, ours := a.ours[act.Client]
	switch known := row.Action != action.Nil; {
	case a.From == 0:
		return No
	case id == row.Action:
		return Yes
	case !ours || !known && gone:
		return Unknown
	case !known || first > row.Seq:
		return No
	case seq <= row.Seq && alone && act.Client == a.client: // under a former id, another copy writes
		return Yes
	}
	return Unknown
}
