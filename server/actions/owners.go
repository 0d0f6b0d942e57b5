package actions

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// A client id belongs to the principal that first used it, on the whole server: its seqs would else be another one's. Who comes with another's is told
// so, and takes a new one: a secret that was renamed, or an identity provider that has moved, locks nobody out.

var errAnothers = web.Problem(action.CodeClient, "", "the client id is another principal's")

// owned refuses a client id that is another principal's. An empty subject owns nothing: it is that of a server without authentication, which may get
// one later.
func (s *Streams) owned(ctx context.Context, st *stream, client action.UUID, p rights.Principal, writes bool) error {
	if owner := st.owners[client]; owner != "" && owner != p.Subject {
		return errAnothers
	}
	if p.Subject == "" || !writes {
		return nil
	}
	if owner, known := s.claims.get(client); known {
		if owner != p.Subject {
			return errAnothers
		}
		return nil
	}
	work := web.WorkOf(ctx)
	work.Pause()
	owner, err := s.engine.Claim(context.WithoutCancel(ctx), client, p.Subject)
	_ = work.Resume(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	s.claims.put(client, owner)
	if owner != p.Subject {
		return errAnothers
	}
	return nil
}

// claims are those that were looked up.
type claims struct {
	mu    sync.Mutex
	known map[action.UUID]string
}

const maxClaims = 50_000 // that are remembered

func (c *claims) get(client action.UUID) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	owner, known := c.known[client]
	return owner, known
}

func (c *claims) put(client action.UUID, owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= maxClaims {
		c.known = map[action.UUID]string{}
	}
	c.known[client] = owner
}

// own notes whose a client id is in a stream.
func (st *stream) own(client action.UUID, by string) {
	if st.owners[client] == "" && by != "" && client != action.Nil {
		st.owners[client] = by
	}
}

func encodeOwners(owners map[action.UUID]string, last func(action.UUID) uint64) []byte {
	out := make(map[string]string, len(owners))
	for id, by := range owners {
		if last(id) > 0 { // the fold forgets clients of long ago
			out[id.String()] = by
		}
	}
	b, _ := json.Marshal(out) // of strings: it does not fail
	return b
}

func decodeOwners(b []byte) (map[action.UUID]string, error) {
	var in map[string]string
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("read the owners of a checkpoint: %w", err)
	}
	owners := make(map[action.UUID]string, len(in))
	for text, by := range in {
		id, ok := action.ParseUUID(text)
		if !ok {
			return nil, fmt.Errorf("read the owners of a checkpoint: %q is no id", text)
		}
		owners[id] = by
	}
	return owners, nil
}
