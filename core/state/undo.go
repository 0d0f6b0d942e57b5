package state

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
)

// Undo is what an application saved so that Unapply restores the state exactly. One that was discarded saved nothing.
type Undo struct {
	images []image
	entry  *entryUndo
	touch  *Touch // what the application has written everywhere
}

// image is an object as it was before one op; absent where there was none.
type image struct {
	id     action.UUID
	absent bool
	op     int32 // which of its action's
	object object
}

// entryUndo is what an entry of the log changes beside the objects.
type entryUndo struct {
	head     uint64
	chain    action.Chain
	stood    []before // rows that were written
	restored []clients.Row
}

// before is a row of the clients as it was, where there was one.
type before struct {
	client action.UUID
	row    clients.Row
	had    bool
}

// Unapply restores the state to what it was before the application that filled u. Applications are unapplied in the
// reverse of their order.
func (s *State) Unapply(u *Undo) {
	s.Counts.TakenBack++
	s.revert(u, 0)
	if e := u.entry; e != nil {
		for i := len(e.stood) - 1; i >= 0; i-- {
			b := &e.stood[i]
			if s.clients.Remove(b.client); b.had {
				s.clients.Put(b.row)
			}
		}
		for _, row := range e.restored {
			s.clients.Put(row)
		}
		s.Head, s.Chain = e.head, e.chain
	}
}

// revert takes back the images from the last one down to number n.
func (s *State) revert(u *Undo, n int) {
	for i := len(u.images) - 1; i >= n; i-- {
		im := &u.images[i]
		now := s.object(im.id)
		s.note(im.id, now)
		switch {
		case im.absent:
			s.drop(im.id)
		case now == nil:
			s.insert(im.object)
		default:
			if now.locked != im.object.locked {
				s.locks++ // only an unlock is taken back in place
			}
			*now = im.object
		}
	}
	clear(u.images[n:])
	u.images = u.images[:n]
}

func (u *Undo) len() int {
	if u == nil {
		return 0
	}
	return len(u.images)
}

// save puts an object's image into u. o is nil where there is none.
func (u *Undo) save(id action.UUID, o *object) {
	if u == nil {
		return
	}
	if o == nil {
		u.images = append(u.images, image{id: id, absent: true})
		return
	}
	u.images = append(u.images, image{id: id, object: *o})
}
