package replay

import (
	"encoding/json"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/bundle"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
)

// Step is a record that was followed, and where that leads to. That of the checkpoint comes first, where there is one.
type Step struct {
	LSN       locallog.LSN
	Kind      locallog.Kind // 0 for the checkpoint
	Own       int           // actions that were committed to the local log
	Entries   int           // of the log
	Persisted int
	Rejected  int
	Replica   *replica.Replica // as it is now
	Same      bool             // it is where the page was, and the same
}

// ErrDamaged is for who has only what remains of a log.
var ErrDamaged = action.Fail(action.CodeCorrupt, "", "the local log is damaged: this is what remains of it")

// ErrDiffers says that the log leads to something else than the page held.
var ErrDiffers = action.Fail(action.CodeInternal, "", "the log leads to another state than the page held")

// Replay follows the local log from its beginning, checks what must hold after each record, and calls each, where it is given. It gives
// what the log leads to; where that is damaged, what remains of it and ErrDamaged; where a step fails, what there was before.
func (s *Stream) Replay(each func(*Step) error) (*replica.Replica, error) {
	log := s.Remains.Log()
	first, records := *log, log.Records
	if first.Records = nil; first.Manifest == nil && len(records) > 0 {
		first.Records, records = log.Records[:1], log.Records[1:]
	}
	rep, err := replica.Read(s.Name, conflict.Most, &first, nil)
	if err == nil && rep.NextLSN() > 0 {
		err = s.stepped(rep, &Step{Replica: rep, LSN: rep.NextLSN() - 1}, each)
	}
	for i := 0; i < len(records) && err == nil; i++ {
		var rec *record.Record
		if rec, err = record.Decode(records[i]); err != nil {
			break
		}
		if s.masked && rec.Kind == locallog.KindTurn {
			rechain(rep, &rec.Turn)
		}
		if _, err = rep.Follow([]*record.Record{rec}); err != nil {
			break
		}
		t := &rec.Turn
		err = s.stepped(rep, &Step{LSN: rep.NextLSN() - 1, Kind: rec.Kind, Own: len(rec.Actions), Entries: len(t.Entries),
			Persisted: len(t.Persisted), Rejected: len(t.Rejected), Replica: rep}, each)
	}
	if code := action.CodeOf(err); code == action.CodeCorrupt || code == action.CodeUpgrade {
		return replica.Salvage(s.Name, record.Init{}, conflict.Most, &s.Remains, nil), ErrDamaged
	}
	return rep, err
}

func (s *Stream) stepped(rep *replica.Replica, step *Step, each func(*Step) error) error {
	err := rep.Check()
	if at := s.Stand; at != nil && at.LSN == step.LSN && err == nil {
		now, _ := bundle.StandOf(rep, nil)
		if s.masked { // it is another log's
			now.Chain = at.Chain
		}
		if step.Same = now == *at; !step.Same {
			err = ErrDiffers
		}
	}
	if each != nil && err == nil {
		err = each(step)
	}
	return err
}

// rechain gives a turn the chain that its masked actions lead to.
func rechain(rep *replica.Replica, t *record.Turn) {
	t.Chain = rep.State().Chain
	for i := range t.Entries {
		t.Chain = t.Chain.Next(t.Entries[i].Action.Raw)
	}
	if len(t.Persisted) == 0 {
		return
	}
	raws := map[action.UUID]string{}
	for _, j := range rep.RejectedList() {
		raws[j.ID] = j.Action.Raw
	}
	var pending []json.RawMessage
	_ = json.Unmarshal(rep.AppendPending(nil, nil), &pending) // it is an array of actions
	for _, raw := range pending {
		if a, err := action.DecodeAction(string(raw)); err == nil {
			raws[a.ID] = a.Raw
		}
	}
	for _, id := range t.Persisted {
		t.Chain = t.Chain.Next(raws[id])
	}
}
