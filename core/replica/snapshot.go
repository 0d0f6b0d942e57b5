package replica

import (
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/state"
)

// TrackSnapshot begins the replica's next checkpoint, which leaves out what has not changed since the last one.
func (r *Replica) TrackSnapshot() *checkpoint.Snapshot {
	r.snap = checkpoint.Changes(r.state, r.Undos(), r.log.Log)
	r.snap.Place(r.next-1, r)
	return r.snap
}

// Stored makes the finished snapshot the checkpoint that later changes are measured against.
func (r *Replica) Stored(n *checkpoint.Snapshot) {
	r.snap, r.base = nil, &n.Next
	r.kept.Stored(n.Next.Kept)
	r.state.Stored(n.State(), n.State().Pages)
	r.keepWeights(n.Next.LSN)
}

// track takes a stored checkpoint for the last one. Where it is not known what has changed since, every page is dirty; and where an
// earlier version has written one without its rows.
func (r *Replica) track(m *locallog.Manifest, known bool) {
	known = known && m.Shows()
	pages := make([]state.Interval, len(m.Pages))
	for i, p := range m.Pages {
		pages[i] = state.Interval{Low: p.Low, Name: p.Name, Bytes: p.Bytes, Dirty: !known}
	}
	r.base, r.snap = m, nil
	r.kept.Stored(m.Kept)
	r.state.Track(pages)
}

// Checkpointed takes note of another context's checkpoint. What this one knows of its pages is only their names.
func (r *Replica) Checkpointed(m *locallog.Manifest) {
	r.track(m, false)
	r.keepWeights(m.LSN)
}

// MovedTo takes note that the local log is this checkpoint, which was made of all that is here, and nothing else.
func (r *Replica) MovedTo(m *locallog.Manifest) {
	r.next, r.weights, r.weight = m.LSN+1, nil, 0
	r.track(m, true)
}

// Taking tells whether that snapshot is still the one under way.
func (r *Replica) Taking(n *checkpoint.Snapshot) bool { return r.snap == n }

// DropSnapshot gives up the one under way.
func (r *Replica) DropSnapshot() {
	r.snap = nil
	r.state.DropSnapshot()
}

// Base is the last local checkpoint that is known.
func (r *Replica) Base() *locallog.Manifest { return r.base }

// Heavy tells whether the records after the last checkpoint weigh more than it, and more than least bytes, or are
// many: each is decoded by itself. One of a version that did not store rows is worth another one at once. more are the bytes of one that
// is about to come.
func (r *Replica) Heavy(least, more int) bool {
	return r.weight+more >= max(least, r.base.Bytes) || len(r.weights) >= maxRecords || len(r.base.Raw) > 0 && !r.base.Shows()
}

const maxRecords = 2000
