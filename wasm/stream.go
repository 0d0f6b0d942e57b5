//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// stream passes on what its stream tells. It never calls back into an app: the script's observer only takes notes.
type stream struct {
	*loop.Stream
	observer js.Value
	handle   int
	lives    map[uint32]*state.Live
	nextLive uint32
	outdated bool // that was told
}

var _ loop.Observer = (*stream)(nil)

func (s *stream) Committed(upTo uint64) { s.observer.Call("committed", upTo) }

func (s *stream) Failed(tickets []uint64, err error) {
	list := make([]any, len(tickets))
	for i, t := range tickets {
		list[i] = t
	}
	s.observer.Call("failed", list, jsError(err))
}

func (s *stream) Resolved(ticket uint64, id action.UUID, index uint64, err error) {
	if ticket != 0 {
		s.observer.Call("resolved", ticket, index, jsError(err))
	}
}

func (s *stream) Refused(ticket uint64, r replica.Rejected) {
	s.observer.Call("refused", ticket, string(appendRejected(nil, &r)))
}

func (s *stream) Conflict(c *replica.Conflict) {
	s.observer.Call("conflict", string(appendConflict(nil, c)))
}

// Changed is told to the script where it does not know it by itself: its own writes it does.
func (s *stream) Changed(remote bool) {
	if !exporting {
		s.observer.Call("changed", remote)
	}
}

func (s *stream) StatusChanged() {
	if !exporting {
		s.observer.Call("statusChanged")
	}
	if s.Stream != nil && !s.outdated && s.Outdated() {
		s.outdated = true
		s.observer.Call("outdated")
	}
}

func (s *stream) Closed(err error) {
	delete(streams, s.handle) // and with it the whole replica
	s.observer.Call("closed", jsError(err))
}
