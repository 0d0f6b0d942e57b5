package state

import (
	"github.com/strandline-sync/strandline/core/action"
)

// A page holds some of the confirmed state's objects, those of one interval of ids. Its body is:
//
//	objects (a string) · names · clients
//
// An object is: id · type · flags · [lock] · touch · [other] · fields. Types and keys are numbers into names, clients into
// clients; a touch that the object has named before is its number from 1, a new one is 0 · index · client · action.

// PageBytes is where a page is cut. An object larger than that has a page of its own.
const PageBytes = 256 << 10

const (
	flagLocked = 1 << iota
	flagOther
)

// pageWriter gathers objects into one page.
type pageWriter struct {
	s       *State
	objects action.Encoder
	names   []uint32
	nameAt  map[uint32]uint64
	clients []action.UUID
	clientN map[action.UUID]uint64
	touches []*Touch // of the object under way
}

func newPageWriter(s *State) *pageWriter {
	return &pageWriter{s: s, nameAt: map[uint32]uint64{}, clientN: map[action.UUID]uint64{}}
}

func (w *pageWriter) len() int { return w.objects.Len() + 16*len(w.names) + 16*len(w.clients) }

func (w *pageWriter) name(id uint32) {
	n, ok := w.nameAt[id]
	if !ok {
		n = uint64(len(w.names))
		w.nameAt[id] = n
		w.names = append(w.names, id)
	}
	w.objects.Uint(n)
}

func (w *pageWriter) client(id action.UUID) {
	n, ok := w.clientN[id]
	if !ok {
		n = uint64(len(w.clients))
		w.clientN[id] = n
		w.clients = append(w.clients, id)
	}
	w.objects.Uint(n)
}

func (w *pageWriter) touch(t *Touch) {
	for i, known := range w.touches {
		if known == t || *known == *t {
			w.objects.Uint(uint64(i + 1))
			return
		}
	}
	w.objects.Uint(0)
	w.objects.Uint(t.Index)
	w.client(t.Client)
	w.objects.UUID(t.Action)
	w.touches = append(w.touches, t)
}

func (w *pageWriter) add(o *object) {
	w.touches = w.touches[:0]
	e := &w.objects
	e.UUID(o.id)
	w.name(o.typ)
	flags := uint64(0)
	if o.locked {
		flags |= flagLocked
	}
	if o.other != nil {
		flags |= flagOther
	}
	e.Uint(flags)
	if o.locked {
		w.client(o.lock)
	}
	w.touch(o.touch)
	if o.other != nil {
		w.touch(o.other)
	}
	e.Uint(uint64(len(o.fields)))
	for i := range o.fields {
		w.name(o.fields[i].key)
		e.String(o.fields[i].value)
		w.touch(o.fields[i].write)
	}
}

func (w *pageWriter) finish() []byte {
	e := action.NewEncoder(make([]byte, 0, w.objects.Len()+20*len(w.names)+16*len(w.clients)+16))
	e.String(action.View(w.objects.Whole()))
	e.Uint(uint64(len(w.names)))
	for _, id := range w.names {
		e.String(w.s.names[id])
	}
	e.Uint(uint64(len(w.clients)))
	for _, id := range w.clients {
		e.UUID(id)
	}
	return e.Whole()
}

// ReadPage puts the objects of a page's body into the state, which has none of them. Their values point into it.
func (s *State) ReadPage(d *action.Decoder) error {
	objects := action.NewDecoder(d.String())
	names := make([]uint32, d.Count(1))
	for i := range names {
		names[i] = s.name(d.String())
	}
	clients := make([]action.UUID, d.Count(16))
	for i := range clients {
		clients[i] = d.UUID()
	}
	if !d.Ended() {
		return errPage
	}
	r := pageReader{s: s, Decoder: objects, names: names, clients: clients}
	for r.More() {
		if r.object(); r.Broken() {
			return errPage
		}
	}
	return nil
}

var errPage = action.Fail(action.CodeCorrupt, "", "a page of the local checkpoint has a broken body")

type pageReader struct {
	*action.Decoder
	s       *State
	names   []uint32
	clients []action.UUID
	touches []*Touch
}

func (r *pageReader) name() uint32 {
	n := r.Uint()
	if n >= uint64(len(r.names)) {
		r.Fail()
		return 0
	}
	return r.names[n]
}

func (r *pageReader) client() action.UUID {
	n := r.Uint()
	if n >= uint64(len(r.clients)) {
		r.Fail()
		return action.Nil
	}
	return r.clients[n]
}

func (r *pageReader) touch() *Touch {
	n := r.Uint()
	if n > uint64(len(r.touches)) {
		r.Fail()
	}
	if r.Broken() {
		return nil
	}
	if n > 0 {
		return r.touches[n-1]
	}
	t := r.s.arena.touch(Touch{Index: r.Uint(), Client: r.client(), Action: r.UUID()})
	r.touches = append(r.touches, t)
	return t
}

func (r *pageReader) object() {
	r.touches = r.touches[:0]
	o := object{id: r.UUID(), typ: r.name(), live: true, bytes: 1}
	flags := r.Uint()
	if flags&flagLocked != 0 {
		o.locked, o.lock = true, r.client()
	}
	o.touch = r.touch()
	if flags&flagOther != 0 {
		o.other = r.touch()
	}
	n := r.Count(3)
	if r.Broken() || r.s.Exists(o.id) {
		r.Fail()
		return
	}
	o.fields = r.s.arena.fieldsFor(n)
	for range n {
		f := field{key: r.name()}
		value := r.String()
		f.set(value, r.touch())
		if r.Broken() {
			return
		}
		o.fields = append(o.fields, f)
		if f.value != "" {
			o.bytes += action.MemberBytes(r.s.names[f.key], f.value)
		}
	}
	r.s.bump(&o)
	r.s.insert(o)
}
