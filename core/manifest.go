package core

import "strconv"

// Manifest names the pages of a local checkpoint. The checkpoint holds what the records up to LSN led to.
type Manifest struct {
	LSN   LSN
	Names []string // of all its pages, in the order in which they are read
}

// manifest is what the core knows of one.
type manifest struct {
	lsn   LSN
	log   UUID
	pages []page
	rest  []string // names of what is left: chunks of one record
	bytes int      // of all the pages
	raw   []byte   // as it is stored; nil where there is none
}

// page is an interval of object ids, from low to the next page's, and where its objects are stored.
type page struct {
	low   UUID
	name  string // empty: nowhere yet
	bytes int
	dirty bool // an object in it has changed since
}

func pageName(lsn LSN, n int) string {
	return strconv.FormatUint(uint64(lsn), 10) + "-" + strconv.Itoa(n)
}

func (m *manifest) encode() []byte {
	e := newRecord(recordManifest, 48*len(m.pages)+64)
	e.uint(uint64(m.lsn))
	e.uuid(m.log)
	e.uint(uint64(len(m.pages)))
	for i := range m.pages {
		e.uuid(m.pages[i].low)
		e.string(m.pages[i].name)
		e.uint(uint64(m.pages[i].bytes))
	}
	e.uint(uint64(len(m.rest)))
	for _, name := range m.rest {
		e.string(name)
	}
	e.uint(uint64(m.bytes))
	return e.finish()
}

func decodeManifest(b []byte) (*manifest, error) {
	d, err := openRecord(b, recordManifest)
	if err != nil {
		return nil, err
	}
	m := &manifest{lsn: LSN(d.uint()), log: d.uuid(), raw: b}
	m.pages = make([]page, d.count(18))
	for i := range m.pages {
		m.pages[i] = page{low: d.uuid(), name: d.string(), bytes: int(d.uint())}
	}
	m.rest = make([]string, d.count(1))
	for i := range m.rest {
		m.rest[i] = d.string()
	}
	m.bytes = int(d.uint())
	if d.bad || d.i != len(d.b) {
		return nil, corruptRecord("has a broken body")
	}
	return m, nil
}

// ParseManifest reads a stored manifest; stores need it to find the pages.
func ParseManifest(b []byte) (Manifest, error) {
	m, err := decodeManifest(b)
	if err != nil {
		return Manifest{}, err
	}
	return Manifest{LSN: m.lsn, Names: m.names()}, nil
}

// Encode writes a manifest of pages that stores keep and do not read.
func (m Manifest) Encode() []byte {
	return (&manifest{lsn: m.LSN, rest: m.Names}).encode()
}

func (m *manifest) names() []string {
	names := make([]string, 0, len(m.pages)+len(m.rest))
	for i := range m.pages {
		if m.pages[i].name != "" {
			names = append(names, m.pages[i].name)
		}
	}
	return append(names, m.rest...)
}
