package replica

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/pace"
	"github.com/strandline-sync/strandline/core/record"
)

// Read folds a local log from nothing. keep is how many conflicts it may tell of. Where a record cannot be read, it
// gives what comes before that, and the error. It may be part of some work; p is nil where it is not.
func Read(name string, keep int, log *locallog.Log, p *pace.Pace) (*Replica, error) {
	r := New(name)
	r.fresh, r.conflicts.Keep, r.pace = true, keep, p
	if log.Manifest != nil {
		if err := r.readCheckpoint(log); err != nil {
			return r, err
		}
	}
	records, err := record.DecodeAll(log.Records, p)
	if _, ferr := r.Follow(records); ferr != nil {
		err = ferr
	}
	r.fresh = false
	return r, err
}

func (r *Replica) readCheckpoint(log *locallog.Log) error {
	m, err := locallog.DecodeManifest(log.Manifest)
	if err != nil {
		return err
	}
	if len(log.Pages) != len(m.Pages)+len(m.Rest) {
		return action.Fail(action.CodeCorrupt, "", "the local checkpoint lacks pages")
	}
	for i := range m.Pages {
		d, err := locallog.Open(log.Pages[i], locallog.KindPage)
		if err == nil {
			err = r.state.ReadPage(d)
			r.state.Lives(len(log.Pages[i]))
			r.pace.Took(4 * pace.Sized(len(log.Pages[i])))
		}
		if err != nil {
			return err
		}
	}
	rest := log.Pages[len(m.Pages):]
	if len(rest) > 1 {
		var all []byte
		for _, b := range rest {
			all = append(all, b...)
		}
		rest = [][]byte{all}
	}
	if len(rest) == 0 {
		return action.Fail(action.CodeCorrupt, "", "the local checkpoint lacks pages")
	}
	if err := r.readRest(rest[0], m); err != nil {
		return err
	}
	if r.log.Log != m.Log {
		return action.Fail(action.CodeCorrupt, "", "the local checkpoint is another log's")
	}
	for _, l := range r.q.Pending {
		r.apply(l)
	}
	r.next = m.LSN + 1
	r.track(m, true)
	return nil
}
