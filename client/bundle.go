package client

import (
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/client/replay"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/bundle"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
)

// Export writes a bundle (docs/BUNDLES.md): what is stored of every stream, what the open ones are in memory, and what is not sent. redact
// puts random letters in the place of what people have written.
func (db *DB) Export(ctx context.Context, to io.Writer, redact bool) error {
	names, err := db.store.Streams(ctx)
	if err != nil {
		return err
	}
	var mask *bundle.Mask
	if redact {
		mask = bundle.NewMask(rand.Uint64)
	}
	out := replay.NewWriter(to)
	h := replay.Header{ID: uuid.NewString(), At: time.Now().UTC().Format(time.RFC3339), User: db.user, Agent: runtime.Version(), Redacted: redact}
	if redact {
		h.User = ""
	}
	out.Begin(h)
	for _, name := range names {
		if err := db.export(ctx, name, mask, out); err != nil {
			return err
		}
	}
	return out.End()
}

// exportTries is how often what is stored and what is in memory are looked at, until the one leads to the other.
const exportTries = 5

func (db *DB) export(ctx context.Context, name string, mask *bundle.Mask, out *replay.Writer) error {
	for try := 1; ; try++ {
		db.mu.Lock()
		var stand *bundle.Stand
		open := db.core.Stream(name)
		if open != nil {
			if at, ok := bundle.StandOf(open.Replica, mask); ok {
				stand = &at
			}
		}
		db.mu.Unlock()
		remains, err := db.store.Remains(ctx, name)
		if err != nil {
			return err
		}
		if stand != nil && !stand.In(&remains) {
			if stand = nil; try < exportTries {
				continue
			}
		}
		if open == nil {
			out.Stream(name, &remains, nil, replay.Opened(name, &remains), mask)
			return nil
		}
		db.mu.Lock()
		out.Stream(name, &remains, stand, open.Replica, mask)
		db.mu.Unlock()
		return nil
	}
}

// Imported is what became of a bundle's unsent actions, by their ids.
type Imported struct {
	Imported []action.UUID // they are pending here, and sent
	Known    []action.UUID // the log has them, or this database
	Left     []action.UUID // the log may have them, or they stand by what their maker has locked or seen: they are not taken over
}

// Import takes over the actions of a bundle that were not sent, once: under their ids, so that whoever sends one first, the others find it
// in the log. The server is asked first what it has. Entries of data streams are not looked at. A bundle of another user, or a redacted
// one, is an invalid *Error.
func (db *DB) Import(ctx context.Context, from io.Reader) (out Imported, err error) {
	b, err := replay.Read(from)
	switch {
	case err != nil:
		return out, err
	case b.Redacted:
		return out, action.Fail(action.CodeInvalid, "/redacted", "the bundle is redacted: nothing of it can be taken over")
	case b.User != db.user:
		return out, action.Fail(action.CodeInvalid, "/user", "the bundle is another user's")
	}
	for _, s := range b.Streams {
		if len(s.Pending) == 0 {
			continue
		}
		in, err := db.Stream(ctx, s.Name)
		if err == nil && db.url != "" {
			err = db.Sync(ctx)
		}
		if err != nil {
			return out, err
		}
		for _, raw := range s.Pending {
			if err := in.adopt(string(raw), &out); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

func (s *Stream) adopt(raw string, out *Imported) error {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	if s.over || s.db.closed {
		return errClosed
	}
	_, err := s.in.Adopt(raw)
	s.announce()
	s.db.step(&plan.Wrote{})
	a, bad := action.DecodeAction(raw)
	if bad != nil {
		return bad
	}
	switch err {
	case nil:
		out.Imported = append(out.Imported, a.ID)
	case queue.ErrKnown:
		out.Known = append(out.Known, a.ID)
	case queue.ErrLeft:
		out.Left = append(out.Left, a.ID)
	default:
		return err
	}
	return nil
}
