package core

// A page holds some of the confirmed state's objects, those of one interval of ids. Its body is:
//
//	objects (a string) · names · clients
//
// An object is: id · type · flags · [lock] · touch · [other] · fields. Types and keys are numbers into names, clients into
// clients; a touch that the object has named before is its number from 1, a new one is 0 · index · client · action.

// pageBytes is where a page is cut. An object larger than that has a page of its own.
const pageBytes = 256 << 10

const (
	flagLocked = 1 << iota
	flagOther
)

// pageWriter gathers objects into one page.
type pageWriter struct {
	s       *State
	objects encoder
	names   []uint32
	nameAt  map[uint32]uint64
	clients []UUID
	clientN map[UUID]uint64
	touches []*Touch // of the object under way
}

func newPageWriter(s *State) *pageWriter {
	return &pageWriter{s: s, nameAt: map[uint32]uint64{}, clientN: map[UUID]uint64{}}
}

func (w *pageWriter) len() int { return w.objects.len() + 16*len(w.names) + 16*len(w.clients) }

func (w *pageWriter) name(id uint32) {
	n, ok := w.nameAt[id]
	if !ok {
		n = uint64(len(w.names))
		w.nameAt[id] = n
		w.names = append(w.names, id)
	}
	w.objects.uint(n)
}

func (w *pageWriter) client(id UUID) {
	n, ok := w.clientN[id]
	if !ok {
		n = uint64(len(w.clients))
		w.clientN[id] = n
		w.clients = append(w.clients, id)
	}
	w.objects.uint(n)
}

func (w *pageWriter) touch(t *Touch) {
	for i, known := range w.touches {
		if known == t || *known == *t {
			w.objects.uint(uint64(i + 1))
			return
		}
	}
	w.objects.uint(0)
	w.objects.uint(t.Index)
	w.client(t.Client)
	w.objects.uuid(t.Action)
	w.touches = append(w.touches, t)
}

func (w *pageWriter) add(o *object) {
	w.touches = w.touches[:0]
	e := &w.objects
	e.uuid(o.id)
	w.name(o.typ)
	flags := uint64(0)
	if o.locked {
		flags |= flagLocked
	}
	if o.other != nil {
		flags |= flagOther
	}
	e.uint(flags)
	if o.locked {
		w.client(o.lock)
	}
	w.touch(o.touch)
	if o.other != nil {
		w.touch(o.other)
	}
	e.uint(uint64(len(o.fields)))
	for i := range o.fields {
		w.name(o.fields[i].key)
		e.string(o.fields[i].value)
		w.touch(o.fields[i].write)
	}
}

func (w *pageWriter) finish() []byte {
	e := newEncoder(make([]byte, 0, w.objects.len()+20*len(w.names)+16*len(w.clients)+16))
	e.string(view(w.objects.whole()))
	e.uint(uint64(len(w.names)))
	for _, id := range w.names {
		e.string(w.s.names[id])
	}
	e.uint(uint64(len(w.clients)))
	for _, id := range w.clients {
		e.uuid(id)
	}
	return e.whole()
}

// ReadPage puts the objects of a page's body into the state, which has none of them. Their values point into it.
func (s *State) ReadPage(d *decoder) error {
	objects := newDecoder(d.string())
	names := make([]uint32, d.count(1))
	for i := range names {
		names[i] = s.name(d.string())
	}
	clients := make([]UUID, d.count(16))
	for i := range clients {
		clients[i] = d.uuid()
	}
	if !d.ended() {
		return errPage
	}
	r := pageReader{s: s, decoder: objects, names: names, clients: clients}
	for r.more() {
		if r.object(); r.broken() {
			return errPage
		}
	}
	return nil
}

var errPage = fail(CodeCorrupt, "", "a page of the local checkpoint has a broken body")

type pageReader struct {
	*decoder
	s       *State
	names   []uint32
	clients []UUID
	touches []*Touch
}

func (r *pageReader) name() uint32 {
	n := r.uint()
	if n >= uint64(len(r.names)) {
		r.fail()
		return 0
	}
	return r.names[n]
}

func (r *pageReader) client() UUID {
	n := r.uint()
	if n >= uint64(len(r.clients)) {
		r.fail()
		return Nil
	}
	return r.clients[n]
}

func (r *pageReader) touch() *Touch {
	n := r.uint()
	if n > uint64(len(r.touches)) {
		r.fail()
	}
	if r.broken() {
		return nil
	}
	if n > 0 {
		return r.touches[n-1]
	}
	t := r.s.arena.touch(Touch{Index: r.uint(), Client: r.client(), Action: r.uuid()})
	r.touches = append(r.touches, t)
	return t
}

func (r *pageReader) object() {
	r.touches = r.touches[:0]
	o := object{id: r.uuid(), typ: r.name(), live: true, bytes: 1}
	flags := r.uint()
	if flags&flagLocked != 0 {
		o.locked, o.lock = true, r.client()
	}
	o.touch = r.touch()
	if flags&flagOther != 0 {
		o.other = r.touch()
	}
	n := r.count(3)
	if r.broken() || r.s.Exists(o.id) {
		r.fail()
		return
	}
	o.fields = r.s.arena.fieldsFor(n)
	for range n {
		f := field{key: r.name()}
		value := r.string()
		f.set(value, r.touch())
		if r.broken() {
			return
		}
		o.fields = append(o.fields, f)
		if f.value != "" {
			o.bytes += memberBytes(r.s.names[f.key], f.value)
		}
	}
	r.s.bump(&o)
	r.s.insert(o)
}
