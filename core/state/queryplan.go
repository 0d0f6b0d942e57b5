package state

import "github.com/strandline-sync/strandline/core/action"

// hit is one object that matches, with what it sorts by.
type hit struct {
	id   action.UUID
	key  sortKey   // of the first Order, which is all that most queries have
	more []sortKey // of the others
}

func (q *Query) compare(a, b *hit) int {
	k, l := &a.key, &b.key
	for i := range q.Order {
		if i > 0 {
			k, l = &a.more[i-1], &b.more[i-1]
		}
		if c := k.compare(l); c != 0 {
			if q.Order[i].Desc {
				return -c
			}
			return c
		}
	}
	return a.id.Compare(b.id)
}

// plan is a query with its names looked up in a state.
type queryPlan struct {
	*Query
	s     *State
	typ   uint32
	never bool // a type that no object ever had
	where []uint32
	order []uint32
	args  []sortKey
	tags  []uint32 // of the args
}

func (s *State) planQuery(q *Query) *queryPlan {
	p := &queryPlan{Query: q, s: s}
	if q.Type != "" {
		id, ok := s.nameIDs[q.Type]
		p.typ, p.never = id, !ok
	}
	look := func(key string) uint32 {
		switch key {
		case "id":
			return keyID
		case "type":
			return keyType
		}
		if id, ok := s.nameIDs[key]; ok {
			return id
		}
		return keyAbsent
	}
	for _, c := range q.Where {
		p.where = append(p.where, look(c.Key))
		p.args = append(p.args, sortKeyOf(c.Arg))
		p.tags = append(p.tags, tagOf(c.Arg))
	}
	for _, o := range q.Order {
		p.order = append(p.order, look(o.Key))
	}
	return p
}

func (p *queryPlan) value(o *object, key uint32) string {
	switch key {
	case keyAbsent:
		return ""
	case keyID:
		return action.View(append(o.id.Append(append(make([]byte, 0, 38), '"')), '"'))
	case keyType:
		return action.View(action.AppendString(nil, p.s.names[o.typ]))
	}
	if f := o.find(key); f != nil {
		return f.value
	}
	return ""
}

func (o *object) find(key uint32) *field {
	for i := range o.fields {
		if o.fields[i].key == key {
			return &o.fields[i]
		}
	}
	return nil
}

func (p *queryPlan) matches(o *object) bool {
	if p.never || !o.live || p.Type != "" && o.typ != p.typ {
		return false
	}
	for i := range p.Where {
		c := &p.Where[i]
		if c.Op == OpEq && p.where[i] < keyType {
			if f := o.find(p.where[i]); f == nil || f.tag != p.tags[i] || f.value != c.Arg {
				return false
			}
			continue
		}
		if !c.holds(p.value(o, p.where[i]), &p.args[i]) {
			return false
		}
	}
	return true
}

func (c *Condition) holds(value string, arg *sortKey) bool {
	switch c.Op {
	case OpEq:
		return value == c.Arg
	case OpNe:
		return value != c.Arg
	case OpIn:
		for e := range action.Elements(c.Arg) {
			if value == e {
				return true
			}
		}
		return false
	case OpHas:
		if value == "" || value[0] != '[' {
			return false
		}
		for e := range action.Elements(value) {
			if e == c.Arg {
				return true
			}
		}
		return false
	}
	k := sortKeyOf(value)
	if k.rank != arg.rank || k.rank != rankNumber && k.rank != rankString {
		return false
	}
	n := k.compare(arg)
	switch c.Op {
	case OpGt:
		return n > 0
	case OpGte:
		return n >= 0
	case OpLt:
		return n < 0
	default:
		return n <= 0
	}
}

func (p *queryPlan) hit(o *object) hit {
	h := hit{id: o.id}
	for i, key := range p.order {
		if k := sortKeyOf(p.value(o, key)); i == 0 {
			h.key = k
		} else {
			h.more = append(h.more, k)
		}
	}
	return h
}

// all finds the first most hits, in order; every one where most is negative.
func (p *queryPlan) all(most int) []hit {
	var hits []hit
	sort := func() {
		action.SortBy(len(hits), func(i, j int) bool { return p.compare(&hits[i], &hits[j]) < 0 },
			func(i, j int) { hits[i], hits[j] = hits[j], hits[i] })
	}
	cut := false // hits is sorted and full: what sorts after its end is out
	p.s.Counts.Visited += int(p.s.objects.n)
	for slot := range p.s.objects.n {
		o := p.s.objects.at(slot)
		if !p.matches(o) {
			continue
		}
		h := p.hit(o)
		if cut && p.compare(&h, &hits[most-1]) > 0 {
			continue
		}
		hits = append(hits, h)
		if most >= 0 && len(hits) > 2*most+64 {
			sort()
			hits, cut = hits[:most], most > 0
		}
	}
	sort()
	if most >= 0 && len(hits) > most {
		hits = hits[:most]
	}
	return hits
}

func (q *Query) window(hits []hit) []hit {
	if q.Offset >= len(hits) {
		return nil
	}
	hits = hits[q.Offset:]
	if q.Limit >= 0 && len(hits) > q.Limit {
		hits = hits[:q.Limit]
	}
	return hits
}

// Row names one object as it is now: its slot, and the version of its content.
type Row struct {
	Slot    Slot
	Version uint32
}

func (s *State) rows(hits []hit) []Row {
	rows := make([]Row, 0, len(hits))
	for i := range hits {
		if slot, ok := s.byID[hits[i].id]; ok {
			rows = append(rows, Row{slot, s.objects.at(slot).version})
		}
	}
	return rows
}

// Get finds an object.
func (s *State) Get(id action.UUID) (Row, bool) {
	slot, ok := s.byID[id]
	if !ok {
		return Row{}, false
	}
	return Row{slot, s.objects.at(slot).version}, true
}

// Query gives the rows that a query asks for, in order.
func (s *State) Query(q *Query) []Row {
	most := -1
	if q.Limit >= 0 {
		most = q.Offset + q.Limit
	}
	return s.rows(q.window(s.planQuery(q).all(most)))
}

// Count is how many rows Query would give.
func (s *State) Count(q *Query) int {
	p, n := s.planQuery(q), 0
	for slot := range s.objects.n {
		if p.matches(s.objects.at(slot)) {
			n++
		}
	}
	n = max(0, n-q.Offset)
	if q.Limit >= 0 {
		n = min(n, q.Limit)
	}
	return n
}

// AppendRow writes the object in a slot as an app sees it: id, type and fields in one JSON object.
func (s *State) AppendRow(dst []byte, slot Slot) []byte {
	o := s.objects.at(slot)
	dst = append(dst, `{"id":"`...)
	dst = o.id.Append(dst)
	dst = append(dst, `","type":`...)
	dst = action.AppendString(dst, s.names[o.typ])
	for i := range o.fields {
		if f := &o.fields[i]; f.value != "" {
			dst = append(dst, ',')
			dst = append(action.AppendString(dst, s.names[f.key]), ':')
			dst = append(dst, f.value...)
		}
	}
	return append(dst, '}')
}

const (
	keyAbsent = ^uint32(0) // a key that no object ever had
	keyID     = ^uint32(1)
	keyType   = ^uint32(2) // the lowest: every other is one of a field
)
