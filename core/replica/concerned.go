package replica

import (
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/record"
)

// concerned finds which queued actions must be unapplied, and applied again, around some records; false says all of them:
//
//	commits of another context    what is uncommitted here comes behind them
//	others' entries               what meets them
//	own actions, first and whole  nothing: they stay as they are applied
//	refusals                      what is refused, and what meets it further behind
//
// The result equals that of a turn that unapplies everything; TestRebaseEqualsAFoldFromNothing holds it to that.
func (r *Replica) concerned(records []*record.Record) (part []*queue.Local, ok bool) {
	if len(records) == 1 && records[0].Kind == locallog.KindTurn {
		return r.concernedBy(&records[0].Turn)
	}
	for _, rec := range records {
		if rec.Kind != locallog.KindCommit {
			return nil, false
		}
	}
	return slices.Clone(r.q.Uncommitted), true
}

func (r *Replica) concernedBy(t *record.Turn) (part []*queue.Local, ok bool) {
	if t.Rekey != action.Nil || !r.acceptable(t.Persisted) || len(t.Entries) > 0 && len(t.Persisted)+len(t.Rejected) > 0 {
		return nil, false
	}
	meeting := r.q.Meet(r.pace)
	for i := range t.Entries {
		a := &t.Entries[i].Action
		if a.Client == r.log.Client || r.q.Find(a.ID) != nil || r.IsRejected(a.ID) {
			return nil, false
		}
		meeting.With(a)
	}
	for i := range t.Rejected {
		if l := r.q.Get(t.Rejected[i].ID); l != nil {
			meeting.From(l)
		}
	}
	return meeting.All(), true
}
