package locallog

import (
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
)

// Manifest names the pages of a local checkpoint, which holds what the records up to LSN led to.
type Manifest struct {
	LSN   LSN
	Log   action.UUID
	Pages []StoredPage // of objects, by their ids
	Rest  []string     // names of what is left: chunks of one record
	Bytes int          // of all the pages
	Raw   []byte       // as it is stored; nil where there is none
}

// StoredPage is an interval of object ids, from Low to the next page's, and where its objects are stored.
type StoredPage struct {
	Low   action.UUID
	Name  string
	Bytes int
}

// Encode writes a manifest as it is stored.
func (m *Manifest) Encode() []byte {
	e := NewRecord(recordManifest, 48*len(m.Pages)+64)
	e.Uint(uint64(m.LSN))
	e.UUID(m.Log)
	e.Uint(uint64(len(m.Pages)))
	for i := range m.Pages {
		e.UUID(m.Pages[i].Low)
		e.String(m.Pages[i].Name)
		e.Uint(uint64(m.Pages[i].Bytes))
	}
	e.Uint(uint64(len(m.Rest)))
	for _, name := range m.Rest {
		e.String(name)
	}
	e.Uint(uint64(m.Bytes))
	return Finish(e)
}

// DecodeManifest reads a stored manifest; stores need it to find the pages.
func DecodeManifest(b []byte) (*Manifest, error) {
	d, err := Open(b, recordManifest)
	if err != nil {
		return nil, err
	}
	m := &Manifest{LSN: LSN(d.Uint()), Log: d.UUID(), Raw: b}
	m.Pages = make([]StoredPage, d.Count(18))
	for i := range m.Pages {
		m.Pages[i] = StoredPage{Low: d.UUID(), Name: d.String(), Bytes: int(d.Uint())}
	}
	m.Rest = make([]string, d.Count(1))
	for i := range m.Rest {
		m.Rest[i] = d.String()
	}
	m.Bytes = int(d.Uint())
	if !d.Ended() {
		return nil, action.Corrupt("a local record has a broken body")
	}
	return m, nil
}

// Shows tells whether the rows of all its pages are stored beside them: versions that did not do so have named them otherwise.
func (m *Manifest) Shows() bool {
	for i := range m.Pages {
		if !strings.HasSuffix(m.Pages[i].Name, showing) {
			return false
		}
	}
	return len(m.Raw) > 0
}

const showing = "r"

// PageName is the name of page number n of a checkpoint, which has its rows beside it.
func PageName(lsn LSN, n int) string {
	return strconv.FormatUint(uint64(lsn), 10) + "-" + strconv.Itoa(n) + showing
}

// Names lists all the pages in the order in which they are read.
func (m *Manifest) Names() []string {
	names := make([]string, 0, len(m.Pages)+len(m.Rest))
	for i := range m.Pages {
		names = append(names, m.Pages[i].Name)
	}
	return append(names, m.Rest...)
}
