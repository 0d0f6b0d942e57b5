package core

// readReplica folds a local log from nothing. keep is how many conflicts it may tell of. Where a record cannot be read, it gives what comes before that, and the error.
func readReplica(name string, keep int, log *Log) (*Replica, error) {
	r := newReplica(name)
	r.fresh, r.keep = true, keep
	if log.Manifest != nil {
		if err := r.readCheckpoint(log); err != nil {
			return r, err
		}
	}
	records, err := decodeRecords(log.Records)
	if _, ferr := r.follow(records); ferr != nil {
		err = ferr
	}
	r.fresh = false
	return r, err
}

func decodeRecords(blobs [][]byte) (records []*record, err error) {
	for _, b := range blobs {
		r, err := decodeRecord(b)
		if err != nil {
			return records, err
		}
		records = append(records, r)
	}
	return records, nil
}

func (r *Replica) readCheckpoint(log *Log) error {
	m, err := DecodeManifest(log.Manifest)
	if err != nil {
		return err
	}
	if len(log.Pages) != len(m.Pages)+len(m.Rest) {
		return fail(CodeCorrupt, "", "the local checkpoint lacks pages")
	}
	for i := range m.Pages {
		d, err := openRecord(log.Pages[i], recordPage)
		if err == nil {
			err = r.state.ReadPage(d)
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
		return fail(CodeCorrupt, "", "the local checkpoint lacks pages")
	}
	if err := r.readRest(rest[0]); err != nil {
		return err
	}
	if r.log.log != m.Log {
		return fail(CodeCorrupt, "", "the local checkpoint is another log's")
	}
	for _, l := range r.pending {
		r.state.ApplyPending(&l.Action, &l.undo, nil)
	}
	r.next = m.LSN + 1
	r.track(m, true)
	return nil
}
