package core

// Manifest names the pages of a local checkpoint, which holds what the records up to LSN led to.
type Manifest struct {
	LSN   LSN
	Log   UUID
	Pages []StoredPage // of objects, by their ids
	Rest  []string     // names of what is left: chunks of one record
	Bytes int          // of all the pages
	Raw   []byte       // as it is stored; nil where there is none
}

// StoredPage is an interval of object ids, from Low to the next page's, and where its objects are stored.
type StoredPage struct {
	Low   UUID
	Name  string
	Bytes int
}

// Encode writes a manifest as it is stored.
func (m *Manifest) Encode() []byte {
	e := newRecord(recordManifest, 48*len(m.Pages)+64)
	e.uint(uint64(m.LSN))
	e.uuid(m.Log)
	e.uint(uint64(len(m.Pages)))
	for i := range m.Pages {
		e.uuid(m.Pages[i].Low)
		e.string(m.Pages[i].Name)
		e.uint(uint64(m.Pages[i].Bytes))
	}
	e.uint(uint64(len(m.Rest)))
	for _, name := range m.Rest {
		e.string(name)
	}
	e.uint(uint64(m.Bytes))
	return finishRecord(e)
}

// DecodeManifest reads a stored manifest; stores need it to find the pages.
func DecodeManifest(b []byte) (*Manifest, error) {
	d, err := openRecord(b, recordManifest)
	if err != nil {
		return nil, err
	}
	m := &Manifest{LSN: LSN(d.uint()), Log: d.uuid(), Raw: b}
	m.Pages = make([]StoredPage, d.count(18))
	for i := range m.Pages {
		m.Pages[i] = StoredPage{Low: d.uuid(), Name: d.string(), Bytes: int(d.uint())}
	}
	m.Rest = make([]string, d.count(1))
	for i := range m.Rest {
		m.Rest[i] = d.string()
	}
	m.Bytes = int(d.uint())
	if !d.ended() {
		return nil, corrupt("a local record has a broken body")
	}
	return m, nil
}

// Names lists all the pages in the order in which they are read.
func (m *Manifest) Names() []string {
	names := make([]string, 0, len(m.Pages)+len(m.Rest))
	for i := range m.Pages {
		names = append(names, m.Pages[i].Name)
	}
	return append(names, m.Rest...)
}
