package data

import (
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
)

// maxUpload bounds an entry that comes in parts.
const maxUpload int64 = 4 << 30

// uploadPart is one part of an entry that comes in several.
type uploadPart struct {
	offset int64
	last   bool
}

// addPart takes a part of an entry; done tells that it was the last one, and is an entry now.
func (s *Streams) addPart(tx engine.DataTx, p rights.Principal, a *appending, now int64, out *appended) (done bool, err error) {
	d := out.stream
	u, err := tx.Upload(d.ID, a.producer)
	if err != nil {
		return false, err
	}
	if u == nil || u.Epoch != a.at.Epoch || u.Seq != a.at.Seq {
		u = &engine.Upload{Epoch: a.at.Epoch, Seq: a.at.Seq, Entry: a.entry, At: now}
	}
	if u.Entry != a.entry { // its parts are another entry's
		return false, errNotItsOwn
	}
	if a.part.offset != u.Size {
		return false, &seqGap{upload: true, expected: uint64(u.Size), received: uint64(a.part.offset)}
	}
	if err := tx.PutUpload(d.ID, a.producer, *u, a.body); err != nil {
		return false, err
	}
	out.upload, out.partial = u.Size+int64(len(a.body)), !a.part.last
	if out.partial {
		if out.meta.TTL == nil {
			return false, nil
		}
		out.meta.Used = now // a write like others
		if err := out.meta.write(d); err != nil {
			return false, err
		}
		return false, tx.PutData(d)
	}
	if u, err = tx.Upload(d.ID, a.producer); err != nil {
		return false, err
	}
	if left, err := unknown(tx, d.ID, []message{{id: a.entry}}); err != nil || len(left) == 0 {
		out.whole = false
		return true, err // the parts go when their time is over
	}
	d.Head++
	d.Tail += uint64(u.Size)
	return true, tx.AppendData(d.ID, []engine.DataEntry{{Index: d.Head, End: d.Tail, Size: u.Size, ID: a.entry, Stored: now, By: p.Subject, Upload: u.ID}})
}
