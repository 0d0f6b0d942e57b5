package state

import "strconv"

import (
	"github.com/strandline-sync/strandline/core/action"
)

// Query asks for objects of the visible state. The zero Query asks for all of them, by id.
type Query struct {
	Type   string // empty for any
	Where  []Condition
	Order  []Order
	Limit  int // -1 for none
	Offset int
}

// Condition asks something of one key. Equality is that of canonical bytes; gt, gte, lt and lte hold between two
// numbers or two strings only; an absent key equals nothing, so that it is "ne" to everything.
type Condition struct {
	Key string
	Op  CondOp
	Arg string // canonical JSON; an array for "in"
}

// CondOp is how a Condition compares.
type CondOp uint8

// The comparisons.
const (
	OpEq CondOp = iota
	OpNe
	OpGt
	OpGte
	OpLt
	OpLte
	OpIn  // equals one of the elements
	OpHas // is an array with this element
)

var condNames = map[string]CondOp{"eq": OpEq, "ne": OpNe, "gt": OpGt, "gte": OpGte, "lt": OpLt, "lte": OpLte, "in": OpIn, "has": OpHas}

// Order sorts by one key: absent, null, false, true, numbers, strings by UTF-16 code units, then the rest. Ties go by id.
type Order struct {
	Key  string
	Desc bool
}

// ParseQuery reads a query in the form of the JavaScript API.
func ParseQuery(text string) (*Query, error) {
	canon, err := action.Canonical(text, action.MaxDepth)
	if err != nil {
		return nil, err
	}
	q := &Query{Limit: -1}
	l := action.NewLexer(canon)
	err = l.Object(func(key string) (err error) {
		switch key {
		case "type":
			q.Type, err = l.Str()
			if err == nil && q.Type == "" {
				err = action.Malformed("", "is empty")
			}
		case "where":
			err = l.Object(func(key string) error { return q.where(l, key) })
		case "orderBy":
			err = q.orderBy(l)
		case "limit":
			q.Limit, err = readCount(l)
		case "offset":
			q.Offset, err = readCount(l)
		default:
			err = action.Malformed("", "is no part of a query")
		}
		return err
	})
	if err != nil {
		e := *action.AsError(err, action.CodeInvalid)
		e.Code = action.CodeInvalid
		return nil, &e
	}
	return q, nil
}

func readCount(l *action.Lexer) (int, error) {
	n, err := l.Uint()
	if err == nil && n > 1<<31-1 {
		err = action.Malformed("", "is too large")
	}
	return int(n), err
}

func (q *Query) where(l *action.Lexer, key string) error {
	if err := action.CheckName(key); err != nil {
		return err
	}
	value, err := l.Raw()
	if err != nil {
		return err
	}
	ops, err := operators(value)
	if err != nil {
		return err
	}
	if len(ops) > 0 {
		for _, op := range ops {
			if op.Op == OpIn && op.Arg[0] != '[' {
				return action.Malformed("/in", "is no array")
			}
			op.Key = key
			q.Where = append(q.Where, op)
		}
		return nil
	}
	q.Where = append(q.Where, Condition{Key: key, Op: OpEq, Arg: value})
	return nil
}

// operators reads an object of comparisons. Any other value is compared as it stands; one that is half of each is an error.
func operators(value string) (ops []Condition, err error) {
	if value[0] != '{' {
		return nil, nil
	}
	other, members := "", 0
	l := action.NewLexer(value)
	err = l.Object(func(key string) error {
		members++
		arg, err := l.Raw()
		if op, ok := condNames[key]; ok {
			ops = append(ops, Condition{Op: op, Arg: arg})
		} else {
			other = key
		}
		return err
	})
	if err == nil && len(ops) > 0 && len(ops) < members {
		err = action.Under(other, action.Malformed("", "is no comparison; an object as a value is compared with eq"))
	}
	return ops, err
}

func (q *Query) orderBy(l *action.Lexer) error {
	one := func() error {
		var o Order
		l.Space()
		if l.Peek() == '"' {
			var err error
			o.Key, err = l.Str()
			q.Order = append(q.Order, o)
			return err
		}
		err := l.Object(func(key string) (err error) {
			var s string
			if s, err = l.Str(); err != nil {
				return err
			}
			switch {
			case key == "key":
				o.Key = s
			case key == "direction" && (s == "asc" || s == "desc"):
				o.Desc = s == "desc"
			default:
				err = action.Malformed("", "is no part of an order")
			}
			return err
		})
		if err == nil && o.Key == "" {
			err = action.Malformed("/key", "is missing")
		}
		q.Order = append(q.Order, o)
		return err
	}
	l.Space()
	if l.Peek() == '[' {
		return l.Array(func(int) error { return one() })
	}
	return one()
}

// hit is one object that matches, with what it sorts by.
type hit struct {
	id   action.UUID
	key  sortKey   // of the first Order, which is all that most queries have
	more []sortKey // of the others
}

type sortKey struct {
	rank uint8
	num  float64
	str  string
}

const (
	rankAbsent = iota
	rankNull
	rankFalse
	rankTrue
	rankNumber
	rankString
	rankRest
)

func sortKeyOf(value string) sortKey {
	if value == "" {
		return sortKey{}
	}
	switch value[0] {
	case 'n':
		return sortKey{rank: rankNull}
	case 'f':
		return sortKey{rank: rankFalse}
	case 't':
		return sortKey{rank: rankTrue}
	case '"':
		return sortKey{rank: rankString, str: action.Unquote(value)}
	case '{', '[':
		return sortKey{rank: rankRest, str: value}
	}
	return sortKey{rank: rankNumber, num: number(value)}
}

// number reads a canonical number; small integers, which most are, without strconv.
func number(text string) float64 {
	if len(text) <= 9 && text[0] != '-' {
		n := 0
		for i := 0; i < len(text); i++ {
			if text[i]-'0' > 9 {
				n = -1
				break
			}
			n = n*10 + int(text[i]-'0')
		}
		if n >= 0 {
			return float64(n)
		}
	}
	f, _ := strconv.ParseFloat(text, 64)
	return f
}

func (k *sortKey) compare(l *sortKey) int {
	if k.rank != l.rank {
		return int(k.rank) - int(l.rank)
	}
	switch {
	case k.rank == rankNumber && k.num != l.num:
		if k.num < l.num {
			return -1
		}
		return 1
	case k.rank >= rankString:
		return action.CompareKeys(k.str, l.str)
	}
	return 0
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

const (
	keyAbsent = ^uint32(0) // a key that no object ever had
	keyID     = ^uint32(1)
	keyType   = ^uint32(2) // the lowest: every other is one of a field
)

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
		action.SortBy(len(hits), func(i, j int) bool { return p.compare(&hits[i], &hits[j]) < 0 }, func(i, j int) { hits[i], hits[j] = hits[j], hits[i] })
	}
	cut := false // hits is sorted and full: what sorts after its end is out
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
