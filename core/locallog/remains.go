package locallog

import (
	"strconv"
	"strings"
)

// Remains is whatever a store has of a stream, as it stands there: nothing of it has been looked at. What cannot be read at all is nil, and
// has its name.
type Remains struct {
	Manifest []byte
	Pages    []Page         // also those of own actions
	Records  []StoredRecord // by their numbers
	Spare    []byte
}

// StoredRecord is one of them.
type StoredRecord struct {
	LSN   LSN
	Bytes []byte
}

// Page gives one by its name; false where there is none.
func (r *Remains) Page(name string) (b []byte, there bool) {
	for i := range r.Pages {
		if r.Pages[i].Name == name {
			return r.Pages[i].Bytes, true
		}
	}
	return nil, false
}

// Whole tells whether each of them could be read, whatever it is.
func (r *Remains) Whole() bool {
	whole := true
	for i := range r.Pages {
		whole = whole && r.Pages[i].Bytes != nil
	}
	for i := range r.Records {
		whole = whole && r.Records[i].Bytes != nil
	}
	return whole
}

// Log is what a store would give of them, where they are whole.
func (r *Remains) Log() *Log {
	out, next := &Log{Manifest: r.Manifest}, LSN(0)
	if m, err := DecodeManifest(r.Manifest); err == nil {
		next = m.LSN + 1
		for _, name := range m.Names() {
			b, _ := r.Page(name)
			out.Pages = append(out.Pages, b)
		}
	}
	for i := range r.Records {
		if r.Records[i].LSN >= next {
			out.Records = append(out.Records, r.Records[i].Bytes)
		}
	}
	return out
}

// IsBehind tells whether a log is read without a page of that name.
func IsBehind(name string) bool { return strings.HasPrefix(name, BehindPages) }

// Guessed is the manifest that the pages speak of, where that itself cannot be read: a store keeps no page that its manifest does not name.
// The rest is written with each checkpoint, behind all pages of objects.
func (r *Remains) Guessed() *Manifest {
	m := &Manifest{Raw: r.Manifest}
	for i := range r.Pages {
		at, _, _ := strings.Cut(r.Pages[i].Name, "-")
		lsn, _ := strconv.Atoi(at) // an error gives 0, as of those behind
		m.LSN = max(m.LSN, LSN(lsn))
	}
	for n := 0; ; n++ {
		name := PageName(m.LSN, n)
		b, there := r.Page(name)
		if !there {
			break
		}
		if len(m.Rest) > 0 || len(b) > 1 && Kind(b[1]) == KindRest {
			m.Rest = append(m.Rest, name)
		}
	}
	for i := range r.Pages {
		switch name := r.Pages[i].Name; {
		case IsBehind(name):
			m.Kept = append(m.Kept, KeptPage{Name: name})
		case !m.Rests(name):
			m.Pages = append(m.Pages, StoredPage{Name: name})
		}
	}
	return m
}

// Rests tells whether a page is of the rest.
func (m *Manifest) Rests(name string) bool {
	for _, of := range m.Rest {
		if of == name {
			return true
		}
	}
	return false
}
