package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Interval is some of the confirmed state's objects: those with ids from Low to the next interval's Low, as one page
// of a checkpoint holds them.
type Interval struct {
	Low   action.UUID
	Name  string // of the stored page; empty: nowhere yet
	Bytes int    // of it
	Dirty bool   // an object in it has changed since
	Body  []byte // of a page that is not stored yet
	Rows  []byte // and its objects as apps see them: a JSON array
}

// paging knows in which interval each object of the confirmed state stands, and which have changed since the last checkpoint.
type paging struct {
	pages []Interval // the first one's Low is the nil UUID
	snap  *Snapshot  // the one under way, or nil
}

// Track has the state note from now on what changes against a checkpoint of these intervals: none, where nothing is stored.
func (s *State) Track(pages []Interval) { s.paging = &paging{pages: atLeastOne(pages)} }

// Untrack ends that.
func (s *State) Untrack() { s.paging = nil }

// atLeastOne makes sure that each id is in an interval.
func atLeastOne(pages []Interval) []Interval {
	if len(pages) == 0 {
		return []Interval{{Dirty: true}}
	}
	return pages
}

// changed takes note that an object is about to change; o is what it was, nil where it was absent.
func (p *paging) changed(id action.UUID, o *object) {
	p.pages[pageOf(p.pages, id)].Dirty = true
	if p.snap == nil {
		return
	}
	if _, seen := p.snap.overlay[id]; seen {
		return
	}
	if o == nil {
		p.snap.overlay[id] = object{}
		return
	}
	p.snap.overlay[id] = *o
}

// pageOf finds the interval of an id.
func pageOf(pages []Interval, id action.UUID) int {
	low, high := 0, len(pages)
	for high-low > 1 {
		if mid := (low + high) / 2; pages[mid].Low.Compare(id) <= 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// Snapshot is the confirmed state of one moment, on its way into pages. It is taken at once and written in steps, while
// the state goes on: what changes meanwhile leaves what it was in overlay.
type Snapshot struct {
	s       *State
	overlay map[action.UUID]object // what is not in the state as it was; not live where there was none
	planned []Interval
	buckets [][]candidate // by planned interval; nil for one that is kept as it is stored
	slot    Slot          // from here on the state has not been looked at
	end     Slot
	bucket  int // from here on the buckets have not been written

	// Pages are the intervals so far: those that stay as they are stored, and new ones with a Body.
	Pages []Interval
}

type candidate struct {
	id   action.UUID
	slot Slot
}

// Of one step: what keeps it to a few milliseconds.
var SlotsPerStep Slot = 8192 // tests take fewer

const (
	samples     = 4096
	bucketBytes = 192 << 10 // what a page is planned to hold, so that most stay under pageBytes
	objectCost  = 64        // bytes of an object in a page beside its fields, about
)

// TakeSnapshot begins one of the confirmed state, which is s without what these undos take back, that were saved in
// this order. All of it is written; s must not change meanwhile.
func (s *State) TakeSnapshot(undos []*Undo) *Snapshot { return s.snapshot(atLeastOne(nil), undos) }

// TrackSnapshot begins one that leaves out what has not changed since the last one. s may go on.
func (s *State) TrackSnapshot(undos []*Undo) *Snapshot {
	s.paging.snap = s.snapshot(s.paging.pages, undos)
	return s.paging.snap
}

// Stored makes the finished snapshot what later changes are measured against; pages are its Pages with their names.
func (s *State) Stored(n *Snapshot, pages []Interval) {
	s.Track(pages)
	for id := range n.overlay {
		p := s.paging.pages
		p[pageOf(p, id)].Dirty = true
	}
}

// DropSnapshot gives up the one under way.
func (s *State) DropSnapshot() { s.paging.snap = nil }

func (s *State) snapshot(pages []Interval, undos []*Undo) *Snapshot {
	n := &Snapshot{s: s, overlay: map[action.UUID]object{}, end: s.objects.n}
	for _, u := range undos {
		for i := range u.images {
			im := &u.images[i]
			if _, seen := n.overlay[im.id]; !seen {
				n.overlay[im.id] = im.object // not live where it was absent
			}
		}
	}
	n.plan(pages)
	return n
}

// plan cuts the ids into intervals: clean pages stay, runs of dirty ones are cut anew by a sample of what is in them.
func (n *Snapshot) plan(old []Interval) {
	var ids []action.UUID
	bytes := 0
	stride := max(1, int(n.end)/samples)
	for slot := Slot(0); slot < n.end; slot += Slot(stride) {
		if o := n.s.objects.at(slot); o.live && old[pageOf(old, o.id)].Dirty {
			ids = append(ids, o.id)
			bytes += (o.bytes + objectCost) * stride
		}
	}
	action.SortBy(len(ids), func(i, j int) bool { return ids[i].Compare(ids[j]) < 0 }, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	every := max(1, len(ids)*bucketBytes/max(1, bytes))
	at := every
	for i := range old {
		p := old[i]
		if !p.Dirty {
			n.interval(p, nil)
			continue
		}
		if i == 0 || !old[i-1].Dirty {
			n.interval(Interval{Low: p.Low}, []candidate{})
		}
		for ; at < len(ids) && (i+1 == len(old) || ids[at].Compare(old[i+1].Low) < 0); at += every {
			if ids[at].Compare(p.Low) > 0 {
				n.interval(Interval{Low: ids[at]}, []candidate{})
			}
		}
	}
}

func (n *Snapshot) interval(p Interval, bucket []candidate) {
	n.planned = append(n.planned, p)
	n.buckets = append(n.buckets, bucket)
}

// Step does a few milliseconds of the work, and says when all is done.
func (n *Snapshot) Step() (done bool) {
	if n.slot < n.end {
		for stop := min(n.end, n.slot+SlotsPerStep); n.slot < stop; n.slot++ {
			if o := n.s.objects.at(n.slot); o.live {
				if _, changed := n.overlay[o.id]; !changed {
					n.put(candidate{o.id, n.slot})
				}
			}
		}
		if n.slot == n.end {
			for id, o := range n.overlay {
				if o.live {
					n.put(candidate{id: id})
				}
			}
		}
		return false
	}
	for n.bucket < len(n.buckets) {
		i := n.bucket
		n.bucket++
		if n.buckets[i] == nil {
			n.Pages = append(n.Pages, n.planned[i])
			continue
		}
		n.write(n.planned[i].Low, n.buckets[i])
		n.buckets[i] = nil
		return false
	}
	if len(n.Pages) > 0 {
		n.Pages[0].Low = action.Nil // below it there is no object
	}
	return true
}

// put sorts an object into its interval's bucket; one of a clean page stays where it is stored. What changes later is in
// overlay, as it was; it may be in the bucket twice.
func (n *Snapshot) put(c candidate) {
	if i := pageOf(n.planned, c.id); n.buckets[i] != nil {
		n.buckets[i] = append(n.buckets[i], c)
	}
}

func (n *Snapshot) write(low action.UUID, bucket []candidate) {
	action.SortBy(len(bucket), func(i, j int) bool { return bucket[i].id.Compare(bucket[j].id) < 0 },
		func(i, j int) { bucket[i], bucket[j] = bucket[j], bucket[i] })
	w := newPageWriter(n.s)
	var rows []byte
	cut := func() {
		if w.objects.Len() > 0 {
			n.Pages = append(n.Pages, Interval{Low: low, Body: w.finish(), Rows: append(rows, ']')})
		}
	}
	for i, c := range bucket {
		if i > 0 && bucket[i-1].id == c.id { // it changed while the slots were looked at
			continue
		}
		o, changed := n.overlay[c.id]
		if !changed {
			o = *n.s.objects.at(c.slot)
		}
		if w.len()+o.bytes+objectCost > PageBytes && w.objects.Len() > 0 {
			cut()
			low, w, rows = c.id, newPageWriter(n.s), nil
		}
		if w.add(&o); rows == nil {
			rows = append(make([]byte, 0, PageBytes), '[')
		} else {
			rows = append(rows, ',')
		}
		rows = n.s.appendRow(rows, &o)
	}
	cut()
}
