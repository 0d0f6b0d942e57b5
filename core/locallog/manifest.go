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
	Kept  []KeptPage   // of own actions that the log has, oldest first; nobody needs them but who rebuilds
	Raw   []byte       // as it is stored; nil where there is none
}

// StoredPage is an interval of object ids, from Low to the next page's, and where its objects are stored.
type StoredPage struct {
	Low   action.UUID
	Name  string
	Bytes int
}

// KeptPage is a page of own actions that the log has, written once.
type KeptPage struct {
	Name   string
	Bytes  int
	Count  int
	Until  uint64 // how many were kept when it ended, from the beginning of the local log on
	Stored int64  // when its last one was stored, Unix milliseconds
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
	e.Uint(uint64(len(m.Kept)))
	for i := range m.Kept {
		k := &m.Kept[i]
		e.String(k.Name)
		e.Uint(uint64(k.Bytes))
		e.Uint(uint64(k.Count))
		e.Uint(k.Until)
		e.Uint(uint64(k.Stored))
	}
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
	if d.More() { // else of the first format
		m.Kept = make([]KeptPage, d.Count(5))
		for i := range m.Kept {
			m.Kept[i] = KeptPage{Name: d.String(), Bytes: int(d.Uint()), Count: int(d.Uint()), Until: d.Uint(), Stored: int64(d.Uint())}
		}
	}
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

// KeptName is the name of page number n of a checkpoint, where it holds own actions: behind all others, which are read without it.
func KeptName(lsn LSN, n int) string { return BehindPages + PageName(lsn, n) }

// BehindPages is above the names of the pages that a log is read from, and not above those of others.
const BehindPages = "~"

// SpareName is where stores that keep it among the pages have a checkpoint's spare.
const SpareName = BehindPages + "spare"

// Names lists the pages that a log is read from, in that order.
func (m *Manifest) Names() []string {
	names := make([]string, 0, len(m.Pages)+len(m.Rest))
	for i := range m.Pages {
		names = append(names, m.Pages[i].Name)
	}
	return append(names, m.Rest...)
}
