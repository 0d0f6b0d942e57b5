package actions

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/rights"
)

// leases are when each client that may hold locks in a stream was last heard of with an action or a drain.
type leases map[action.UUID]time.Time

// note takes note of an action that is about to be in the log.
func (l leases) note(a *action.Action, now time.Time) {
	if _, holds := l[a.Client]; holds {
		l[a.Client] = now
	}
	for i := range a.Ops {
		if a.Ops[i].Lock && a.Client != action.Nil {
			l[a.Client] = now
		}
	}
}

// expire appends the unlocks of clients that have not been heard of for as long as a lease is. It is looked at whenever somebody asks about the
// stream: a lock that nobody meets holds up nobody. The caller holds st.mu, and st is loaded.
func (s *Streams) expire(ctx context.Context, st *stream) error {
	now := s.Now()
	if st.leases == nil { // the fold is new: the entries tell when each was heard of, as long as they are kept
		st.leases = leases{}
		for _, client := range st.state.LockHolders() {
			st.leases[client] = now
			if at, known := st.heard[client]; known { // its entry may be forgotten (S12)
				st.leases[client] = at
			}
			entries, err := s.engine.Read(ctx, st.name, st.state.LastIndex(client)-1, 1, 1)
			if err == nil && len(entries) == 1 {
				st.leases[client] = time.UnixMilli(entries[0].Stored)
			}
		}
	}
	for _, client := range slices.SortedFunc(maps.Keys(st.leases), action.UUID.Compare) { // the log's order is no map's
		if now.Sub(st.leases[client]) <= s.Lease {
			continue
		}
		held := st.state.LockedBy(client)
		if len(held) > 0 {
			var a answer
			if err := s.append(ctx, rights.Principal{}, st, &protocol.SyncRequest{SyncItem: protocol.SyncItem{Stream: st.name, Client: client}}, &a, &batch{}, true); err != nil {
				return err
			}
		}
		delete(st.leases, client)
	}
	return nil
}

// encode writes the leases into a checkpoint; before are those that the fold began with, which count where nobody has looked since.
func (l leases) encode(before leases) []byte {
	if l == nil {
		l = before
	}
	out := make(map[string]int64, len(l))
	for client, at := range l {
		out[client.String()] = at.UnixMilli()
	}
	b, _ := json.Marshal(out) // of numbers: it does not fail
	return b
}

// decodeLeases reads them. What cannot be read is as if it were not there: a lease then begins anew.
func decodeLeases(b []byte) leases {
	var in map[string]int64
	_ = json.Unmarshal(b, &in)
	out := leases{}
	for text, at := range in {
		if id, ok := action.ParseUUID(text); ok {
			out[id] = time.UnixMilli(at)
		}
	}
	return out
}
