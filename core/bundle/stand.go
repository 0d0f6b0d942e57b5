package bundle

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
)

// Stand is what a stream was at a record of its local log: who folds that far holds the same.
type Stand struct {
	Log     action.UUID
	LSN     locallog.LSN
	Head    uint64
	Chain   action.Chain
	Objects int
	Hash    action.Chain
}

// StandOf is that of now. In what is not committed there is no record of it: then it is of no use.
func StandOf(of *replica.Replica, m *Mask) (s Stand, ok bool) {
	if of.Uncommits() || of.NextLSN() == 0 {
		return s, false
	}
	in := of.State()
	s = Stand{Log: of.LogID(), LSN: of.NextLSN() - 1, Head: in.Head, Chain: in.Chain, Objects: in.Len()}
	if m == nil {
		s.Hash = in.Hash(nil)
	} else {
		s.Hash = in.Hash(m.Masked)
	}
	return s, true
}

// In tells whether a fold of what is stored comes by there.
func (s *Stand) In(r *locallog.Remains) bool {
	n := len(r.Records)
	if m, err := locallog.DecodeManifest(r.Manifest); err == nil {
		return m.Log == s.Log && (s.LSN == m.LSN || s.LSN > m.LSN && n > 0 && s.LSN <= r.Records[n-1].LSN)
	}
	if n == 0 || s.LSN > r.Records[n-1].LSN {
		return false
	}
	first, err := record.Decode(r.Records[0].Bytes)
	return err == nil && first.Init.Log == s.Log // else it was destroyed, and made anew
}

// Append appends it as JSON.
func (s *Stand) Append(b []byte) []byte {
	b = action.PutInt(action.PutID(append(b, '{'), "log", s.Log), "record", int64(s.LSN))
	b = action.PutText(action.PutInt(b, "head", int64(s.Head)), "chain", s.Chain.String())
	b = action.PutText(action.PutInt(b, "objects", int64(s.Objects)), "hash", s.Hash.String())
	return append(b, '}')
}
