package own

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// Kept is an action of this client that the log has, with its bytes: where a server that was restored does not have it any more, it
// returns.
type Kept struct {
	Raw    string
	First  uint64 // the first seq that it had under the client id of now; 0: the one in Raw
	Index  uint64 // of its entry; 0 where that is not known
	Stored int64  // when the server stored it, Unix milliseconds
}

// How much is kept.
const (
	mostKept  = Most
	keptBytes = 8 << 20
	keptFor   = 30 * 24 * 60 * 60 * 1000 // milliseconds, by the time of the last one
)

// Store keeps them: what is behind the last page is in memory, and is written with each checkpoint; pages are written once.
type Store struct {
	pages []locallog.KeptPage
	tail  []Kept
	bytes int    // of the tail
	began uint64 // how many were kept before the tail, from the beginning of the local log on
}

// TailBytes is what is behind the last page, at most, where a checkpoint is taken. Tests take less.
var TailBytes = 16 << 10

const pageBytes = 192 << 10 // of a page, about

// Add keeps one more.
func (s *Store) Add(k Kept) {
	s.tail = append(s.tail, k)
	s.bytes += k.size()
}

func (k *Kept) size() int { return len(k.Raw) + 32 }

// Names are the names of the pages that are stored.
func (s *Store) Names() (names []string) {
	for _, p := range s.pages {
		names = append(names, p.Name)
	}
	return names
}

// All gives what is kept, oldest first; pages are those that Names names, as they are stored.
func (s *Store) All(pages [][]byte) (all []Kept, err error) {
	for _, b := range pages {
		d, err := locallog.Open(b, locallog.KindKept)
		if err != nil {
			return nil, err
		}
		if all = append(all, readKept(d)...); !d.Ended() {
			return nil, action.Corrupt("a page of own actions has a broken body")
		}
	}
	return append(all, s.tail...), nil
}

// Cut is what a checkpoint writes of them as pages of their own.
type Cut struct {
	Pages [][]Kept
	Left  int // bytes of what is left, about
	began uint64
}

// Cut makes pages of what is behind the last one, until what is left is little.
func (s *Store) Cut() Cut {
	c := Cut{began: s.began}
	rest, left := s.tail, s.bytes
	for left > TailBytes {
		n, size := 0, 0
		for n < len(rest) && (n == 0 || size+rest[n].size() <= pageBytes) {
			size += rest[n].size()
			n++
		}
		c.Pages = append(c.Pages, rest[:n])
		rest, left = rest[n:], left-size
	}
	c.Left = left
	return c
}

// len is how many they hold.
func (c *Cut) len() (n int) {
	for _, p := range c.Pages {
		n += len(p)
	}
	return n
}

// Named is what is told of page number n, stored under a name.
func (c *Cut) Named(n int, name string, bytes int) locallog.KeptPage {
	p := locallog.KeptPage{Name: name, Bytes: bytes, Count: len(c.Pages[n]), Until: c.began, Stored: c.Pages[n][len(c.Pages[n])-1].Stored}
	for i := range n + 1 {
		p.Until += uint64(len(c.Pages[i]))
	}
	return p
}

// Stored takes note of the pages of a checkpoint: what they hold is in memory no longer.
func (s *Store) Stored(pages []locallog.KeptPage) {
	s.pages = pages
	until := s.began
	if n := len(pages); n > 0 {
		until = max(until, pages[n-1].Until)
	}
	if cut := min(int(until-s.began), len(s.tail)); cut > 0 {
		s.tail = append(s.tail[:0:0], s.tail[cut:]...)
		s.began += uint64(cut)
		s.bytes = 0
		for i := range s.tail { // views would keep whole records alive
			s.tail[i].Raw = strings.Clone(s.tail[i].Raw)
			s.bytes += s.tail[i].size()
		}
	}
}

// Lasting is the pages and what comes to them, without those at the beginning that are too old, or too many.
func (s *Store) Lasting(more []locallog.KeptPage) []locallog.KeptPage {
	all := append(append([]locallog.KeptPage(nil), s.pages...), more...)
	count, bytes, newest := len(s.tail), s.bytes, int64(0)
	for _, p := range more {
		count, bytes = count-p.Count, bytes-p.Bytes // they are in the tail still
	}
	if n := len(s.tail); n > 0 {
		newest = s.tail[n-1].Stored
	}
	for i := len(all) - 1; i >= 0; i-- {
		p := &all[i]
		newest = max(newest, p.Stored)
		if count += p.Count; count > mostKept && i < len(all)-1 {
			return all[i+1:]
		}
		if bytes += p.Bytes; bytes > keptBytes && i < len(all)-1 || p.Stored < newest-keptFor {
			return all[i+1:]
		}
	}
	return all
}

// Clone is a store of its own.
func (s *Store) Clone() Store {
	c := *s
	c.pages, c.tail = append([]locallog.KeptPage(nil), s.pages...), append([]Kept(nil), s.tail...)
	return c
}

// Anew is an empty store, which counts on from this one: another context tells its pages from those before.
func (s *Store) Anew() Store { return Store{began: s.began + uint64(len(s.tail))} }

// Write writes what is in no page, but for what was cut.
func (s *Store) Write(e *action.Encoder, but *Cut) {
	n := but.len()
	e.Uint(s.began + uint64(n))
	WriteKept(e, s.tail[n:])
}

// Read reads what Write has written; the pages are those of the manifest.
func (s *Store) Read(d *action.Decoder, pages []locallog.KeptPage) {
	s.pages, s.began = pages, d.Uint()
	for _, k := range readKept(d) {
		k.Raw = strings.Clone(k.Raw)
		s.Add(k)
	}
}

// WriteKept writes some of them.
func WriteKept(e *action.Encoder, all []Kept) {
	e.Uint(uint64(len(all)))
	for i := range all {
		k := &all[i]
		e.Uint(k.First)
		e.Uint(k.Index)
		e.Uint(uint64(k.Stored))
		e.String(k.Raw)
	}
}

// readKept reads what WriteKept has written.
func readKept(d *action.Decoder) []Kept {
	all := make([]Kept, d.Count(4))
	for i := range all {
		all[i] = Kept{First: d.Uint(), Index: d.Uint(), Stored: int64(d.Uint()), Raw: d.String()}
	}
	return all
}

// In gives those of the tail as they stand in the text that they were read from: what is in memory is a copy.
func (s *Store) In(text string, f func(*action.Action)) error {
	for i := range s.tail {
		at := strings.Index(text, s.tail[i].Raw)
		if at < 0 { // it has changed: it stood elsewhere, too
			continue
		}
		a, err := action.DecodeAction(text[at : at+len(s.tail[i].Raw)])
		if err != nil {
			return err
		}
		f(a)
	}
	return nil
}

// KeptIn gives those of a page.
func KeptIn(b []byte, f func(*action.Action)) error {
	all, err := new(Store).All([][]byte{b})
	for i := range all {
		a, aerr := action.DecodeAction(all[i].Raw)
		if aerr != nil {
			return aerr
		}
		f(a)
	}
	return err
}
