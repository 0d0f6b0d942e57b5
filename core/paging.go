package core

// paging knows which stored page each object of the confirmed state stands in, and which pages have changed since.
type paging struct {
	base *manifest // the last checkpoint that is known
	snap *snapshot // the one under way, or nil
}

func newPaging(base *manifest) *paging {
	base.atLeastOnePage()
	return &paging{base: base}
}

// atLeastOnePage makes sure that each id is in an interval.
func (m *manifest) atLeastOnePage() {
	if len(m.pages) == 0 {
		m.pages = []page{{dirty: true}}
	}
}

// changed takes note that an object is about to change; o is what it was, nil where it was absent.
func (p *paging) changed(id UUID, o *object) {
	p.base.pages[pageOf(p.base.pages, id)].dirty = true
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

// pageOf finds the interval of an id. The first page's low is the nil UUID.
func pageOf(pages []page, id UUID) int {
	low, high := 0, len(pages)
	for high-low > 1 {
		if mid := (low + high) / 2; pages[mid].low.Compare(id) <= 0 {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// snapshot is the confirmed state of one moment, on its way into pages. It is taken at once and written in steps, while
// the state goes on: what changes meanwhile leaves what it was in overlay.
type snapshot struct {
	s       *State
	base    *manifest
	next    *manifest // in the making; its pages are the intervals of the new checkpoint
	rest    []byte
	overlay map[UUID]object // what is not in the state as it was; not live where there was none
	buckets [][]candidate   // by interval; nil for one that is kept as it is stored
	slot    Slot            // from here on the state has not been looked at
	end     Slot
	bucket  int   // from here on the buckets have not been written
	written []int // which of next.pages are new, as out.Pages has them
	pages   []page
	out     Checkpoint
}

type candidate struct {
	id   UUID
	slot Slot
}

// Of one step: what keeps it to a few milliseconds.
var slotsPerStep Slot = 8192 // tests take fewer

const (
	samples     = 4096
	bucketBytes = 192 << 10 // what a page is planned to hold, so that most stay under pageBytes
	objectCost  = 64        // bytes of an object in a page beside its fields, about
)

// snapshot begins one of the confirmed state, which is s without the given actions, that are applied on top in this order.
func (p *paging) snapshot(s *State, lsn LSN, log UUID, rest []byte, queues ...[]*local) *snapshot {
	n := &snapshot{s: s, base: p.base, rest: rest, overlay: map[UUID]object{}, end: s.objects.n}
	n.next = &manifest{lsn: lsn, log: log}
	for _, queue := range queues {
		for _, l := range queue {
			for i := range l.undo.images {
				im := &l.undo.images[i]
				if _, seen := n.overlay[im.id]; !seen {
					n.overlay[im.id] = im.object // not live where it was absent
				}
			}
		}
	}
	n.plan()
	p.snap = n
	return n
}

// plan cuts the ids into intervals: clean pages stay, runs of dirty ones are cut anew by a sample of what is in them.
func (n *snapshot) plan() {
	old := n.base.pages
	var ids []UUID
	bytes := 0
	stride := max(1, int(n.end)/samples)
	for slot := Slot(0); slot < n.end; slot += Slot(stride) {
		if o := n.s.objects.at(slot); o.live && old[pageOf(old, o.id)].dirty {
			ids = append(ids, o.id)
			bytes += (o.bytes + objectCost) * stride
		}
	}
	sortBy(len(ids), func(i, j int) bool { return ids[i].Compare(ids[j]) < 0 }, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	every := max(1, len(ids)*bucketBytes/max(1, bytes))
	at := every
	for i := range old {
		p := old[i]
		if !p.dirty {
			n.intervals(p, nil)
			continue
		}
		if i == 0 || !old[i-1].dirty {
			n.intervals(page{low: p.low}, []candidate{})
		}
		for ; at < len(ids) && (i+1 == len(old) || ids[at].Compare(old[i+1].low) < 0); at += every {
			if ids[at].Compare(p.low) > 0 {
				n.intervals(page{low: ids[at]}, []candidate{})
			}
		}
	}
}

func (n *snapshot) intervals(p page, bucket []candidate) {
	n.next.pages = append(n.next.pages, p)
	n.buckets = append(n.buckets, bucket)
}

// step does a few milliseconds of the work, and says when all is done.
func (n *snapshot) step() (done bool) {
	if n.slot < n.end {
		for stop := min(n.end, n.slot+slotsPerStep); n.slot < stop; n.slot++ {
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
			n.pages = append(n.pages, n.next.pages[i])
			continue
		}
		n.write(n.next.pages[i].low, n.buckets[i])
		n.buckets[i] = nil
		return false
	}
	return true
}

// put sorts an object into its interval's bucket; one of a clean page stays where it is stored. What changes later is in
// overlay, as it was; it may be in the bucket twice.
func (n *snapshot) put(c candidate) {
	if i := pageOf(n.next.pages, c.id); n.buckets[i] != nil {
		n.buckets[i] = append(n.buckets[i], c)
	}
}

func (n *snapshot) write(low UUID, bucket []candidate) {
	sortBy(len(bucket), func(i, j int) bool { return bucket[i].id.Compare(bucket[j].id) < 0 },
		func(i, j int) { bucket[i], bucket[j] = bucket[j], bucket[i] })
	w := newPageWriter(n.s)
	cut := func() {
		if len(w.objects.b) > 0 {
			n.store(low, w.finish())
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
		if w.len()+o.bytes+objectCost > pageBytes && len(w.objects.b) > 0 {
			cut()
			low, w = c.id, newPageWriter(n.s)
		}
		w.add(&o)
	}
	cut()
}

func (n *snapshot) store(low UUID, blob []byte) {
	n.written = append(n.written, len(n.pages))
	n.out.Pages = append(n.out.Pages, Page{Bytes: blob})
	n.pages = append(n.pages, page{low: low, bytes: len(blob)})
}

// seal makes the checkpoint of what was written, built on base. It may be done again, with another lsn and rest.
func (n *snapshot) seal(base *manifest) *Checkpoint {
	m := n.next
	n.base = base
	if m.pages = n.pages; len(m.pages) > 0 {
		m.pages[0].low = Nil // below it there is no object
	}
	n.out.Pages = n.out.Pages[:len(n.written)]
	for i, at := range n.written {
		name := pageName(m.lsn, i)
		n.out.Pages[i].Name, m.pages[at].name = name, name
	}
	m.rest, m.bytes, n.out.Drop = nil, 0, nil
	for i := range m.pages {
		m.bytes += m.pages[i].bytes
	}
	for at := 0; at < len(n.rest); at += pageBytes {
		name := pageName(m.lsn, len(n.out.Pages))
		m.rest = append(m.rest, name)
		n.out.Pages = append(n.out.Pages, Page{name, n.rest[at:min(len(n.rest), at+pageBytes)]})
	}
	m.bytes += len(n.rest)
	m.raw = m.encode()
	n.out.LSN, n.out.Base, n.out.Manifest = m.lsn, n.base.raw, m.raw
	kept := map[string]bool{}
	for _, name := range m.names() {
		kept[name] = true
	}
	for _, name := range n.base.names() {
		if !kept[name] {
			n.out.Drop = append(n.out.Drop, name)
		}
	}
	return &n.out
}

// stored makes the finished snapshot the checkpoint that later changes are measured against.
func (p *paging) stored(n *snapshot) {
	p.snap, p.base = nil, n.next
	n.next.atLeastOnePage()
	for id := range n.overlay {
		n.next.pages[pageOf(n.next.pages, id)].dirty = true
	}
}
