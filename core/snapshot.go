package core

import "strconv"

// snapshot is a local checkpoint in the making: a snapshot of the state in framed pages, and what the replica holds beside it.
type snapshot struct {
	state   *Snapshot
	framed  int   // how many of the state's pages have been looked at
	written []int // which of them are new, as out.Pages has them
	next    Manifest
	rest    []byte
	out     Checkpoint
}

// pageRoom is where the rest is cut into pages.
const pageRoom = 256 << 10

// takeSnapshot begins one of a state that does not change meanwhile.
func takeSnapshot(s *State, undos []*Undo, log UUID) *snapshot {
	return &snapshot{state: s.TakeSnapshot(undos), next: Manifest{Log: log}}
}

// trackSnapshot begins the replica's next checkpoint, which leaves out what has not changed since the last one.
func (r *Replica) trackSnapshot() *snapshot {
	r.snap = &snapshot{state: r.state.TrackSnapshot(r.undos()), next: Manifest{LSN: r.next - 1, Log: r.log.log}, rest: r.encodeRest()}
	return r.snap
}

// step does a few milliseconds of the work, and says when all is done.
func (n *snapshot) step() (done bool) {
	done = n.state.Step()
	for ; n.framed < len(n.state.Pages); n.framed++ {
		p := &n.state.Pages[n.framed]
		if p.Body == nil {
			continue
		}
		e := newRecord(recordPage, len(p.Body))
		e.raw(p.Body)
		blob := finishRecord(e)
		p.Body, p.Bytes = nil, len(blob)
		n.written = append(n.written, n.framed)
		n.out.Pages = append(n.out.Pages, Page{Bytes: blob})
	}
	return done
}

// seal makes the checkpoint of what was written, built on base. It may be done again, with another lsn and rest.
func (n *snapshot) seal(base *Manifest) *Checkpoint {
	m := &n.next
	pages := n.state.Pages
	n.out.Pages = n.out.Pages[:len(n.written)]
	for i, at := range n.written {
		name := pageName(m.LSN, i)
		n.out.Pages[i].Name, pages[at].Name = name, name
	}
	m.Pages, m.Rest, m.Bytes, n.out.Drop = nil, nil, len(n.rest), nil
	for i := range pages {
		m.Pages = append(m.Pages, StoredPage{Low: pages[i].Low, Name: pages[i].Name, Bytes: pages[i].Bytes})
		m.Bytes += pages[i].Bytes
	}
	for at := 0; at < len(n.rest); at += pageRoom {
		name := pageName(m.LSN, len(n.out.Pages))
		m.Rest = append(m.Rest, name)
		n.out.Pages = append(n.out.Pages, Page{name, n.rest[at:min(len(n.rest), at+pageRoom)]})
	}
	m.Raw = m.Encode()
	n.out.LSN, n.out.Base, n.out.Manifest = m.LSN, base.Raw, m.Raw
	kept := map[string]bool{}
	for _, name := range m.Names() {
		kept[name] = true
	}
	for _, name := range base.Names() {
		if !kept[name] {
			n.out.Drop = append(n.out.Drop, name)
		}
	}
	return &n.out
}

func pageName(lsn LSN, n int) string {
	return strconv.FormatUint(uint64(lsn), 10) + "-" + strconv.Itoa(n)
}

// stored makes the finished snapshot the checkpoint that later changes are measured against.
func (r *Replica) stored(n *snapshot) {
	r.snap, r.base = nil, &n.next
	r.state.Stored(n.state, n.state.Pages)
	r.keepWeights(n.next.LSN)
}

// track takes a stored checkpoint for the last one. Where it is not known what has changed since, every page is dirty.
func (r *Replica) track(m *Manifest, known bool) {
	pages := make([]Interval, len(m.Pages))
	for i, p := range m.Pages {
		pages[i] = Interval{Low: p.Low, Name: p.Name, Bytes: p.Bytes, Dirty: !known}
	}
	r.base, r.snap = m, nil
	r.state.Track(pages)
}

// checkpointed takes note of another context's checkpoint. What this one knows of its pages is only their names.
func (r *Replica) checkpointed(m *Manifest) {
	r.track(m, false)
	r.keepWeights(m.LSN)
}

// movedTo takes note that the local log is this checkpoint, which was made of all that is here, and nothing else.
func (r *Replica) movedTo(m *Manifest) {
	r.next, r.weights = m.LSN+1, nil
	r.track(m, true)
}

// taking tells whether that snapshot is still the one under way.
func (r *Replica) taking(n *snapshot) bool { return r.snap == n }

// dropSnapshot gives up the one under way.
func (r *Replica) dropSnapshot() {
	r.snap = nil
	r.state.DropSnapshot()
}

// Base is the last local checkpoint that is known.
func (r *Replica) Base() *Manifest { return r.base }

// heavy tells whether the records after the last checkpoint weigh more than it, and more than least bytes.
func (r *Replica) heavy(least int) bool {
	weight := 0
	for _, n := range r.weights {
		weight += n
	}
	return weight >= max(least, r.base.Bytes)
}

// place says where the checkpoint will stand, and what it holds beside the state.
func (n *snapshot) place(lsn LSN, beside *Replica) { n.next.LSN, n.rest = lsn, beside.encodeRest() }
