// Package pace cuts long work into slices, so that a page can answer people in between.
package pace

import "iter"

// Slice is how many units of work a step does at most. A unit is about a microsecond in a browser.
const Slice = 5000

// What work is, in units.
const (
	Apply   = 4  // an action that is applied
	Unapply = 1  // and taken back
	Fold    = 8  // an entry of the log that is applied
	Look    = 1  // an action that is looked at, encoded or found
	KiB     = 16 // of a record that is read or written
)

// Pace cuts work into slices. One piece is under way at a time, as a coroutine: it stands still where its slice is used up, and goes
// on from there. What it changes is of no use to others until it has come to its end.
type Pace struct {
	slice int
	left  int
	rest  func(struct{}) bool // called by the work: it stands still until the next slice
	next  func() (struct{}, bool)
	stop  func()
}

// New makes one with so many units in a slice.
func New(slice int) *Pace { return &Pace{slice: slice} }

// Working tells whether something is under way.
func (p *Pace) Working() bool { return p.rest != nil }

// Begin does the first slice of some work, and tells whether that was all of it.
func (p *Pace) Begin(work func()) (done bool) {
	p.next, p.stop = iter.Pull(func(rest func(struct{}) bool) {
		p.rest = rest
		work()
	})
	return p.GoOn()
}

// GoOn does the next slice of what is under way, and tells whether that was the last one.
func (p *Pace) GoOn() (done bool) {
	p.left = p.slice
	_, more := p.next()
	if !more {
		*p = Pace{slice: p.slice}
	}
	return !more
}

// Finish does all that is left.
func (p *Pace) Finish() {
	p.stop()
	*p = Pace{slice: p.slice}
}

// Took counts units of work, within it. A nil Pace counts nothing.
func (p *Pace) Took(units int) {
	if p == nil || p.rest == nil {
		return
	}
	if p.left -= units; p.left <= 0 {
		p.rest(struct{}{})
	}
}

// Sized is how much work so many bytes are.
func Sized(bytes int) int { return KiB * bytes >> 10 }
