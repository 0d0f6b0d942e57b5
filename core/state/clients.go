package state

import (
	"iter"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/clients"
)

// Client is what the log says of a client, where it says anything.
func (s *State) Client(id action.UUID) (row clients.Row, known bool) { return s.clients.Get(id) }

// ClientCount is of how many clients it says anything.
func (s *State) ClientCount() int { return s.clients.Len() }

// Clients are the rows, the one with the lowest index first.
func (s *State) Clients() iter.Seq[clients.Row] { return s.clients.All() }

// PutClient writes a row.
func (s *State) PutClient(row clients.Row) { s.clients.Put(row) }
