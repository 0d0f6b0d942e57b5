package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// Texts is who is shown what people have written, where it stands in what is stored.
type Texts interface {
	Action(a *action.Action) // what its Raw holds
	Value(json string)
	Text(plain string)
}

// RestTexts shows those of the rest of a checkpoint.
func RestTexts(b []byte, m *locallog.Manifest, to Texts) error {
	r := New("")
	if err := r.readRest(b, m); err != nil {
		return err
	}
	r.texts(to)
	r.own.Values(to.Value)
	r.conflicts.Values(to.Value)
	return r.kept.In(action.View(b), to.Action)
}

// SpareTexts shows those of what stands beside a checkpoint once more.
func SpareTexts(b []byte, to Texts) error {
	r := New("")
	err := r.readSpare(b)
	r.texts(to)
	return err
}

func (r *Replica) texts(to Texts) {
	to.Text(r.log.User)
	for _, l := range r.q.Pending {
		to.Action(&l.Action)
		for i := range l.Bases {
			to.Value(l.Bases[i].Value)
		}
	}
	for _, j := range r.rejected.All() {
		to.Text(j.Message)
		to.Action(&j.Action)
	}
}
