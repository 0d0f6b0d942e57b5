package actions

import (
	"sync"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// forgotten are the principals that were forgotten since the server was started: a checkpoint that is on its way into the engine meanwhile does not
// bring a name back.
type forgotten struct {
	mu    sync.RWMutex
	names []string
}

// add has no checkpoint that is stored from now on name a principal.
func (f *forgotten) add(principal string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.names = append(f.names, principal)
}

// put stores a checkpoint without them. Who comes back under a name is not named in it either, until the next one: its client ids are claimed anyway.
func (f *forgotten) put(c *engine.Checkpoint, store func() error) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if len(f.names) > 0 {
		owners, err := decodeOwners(c.Owners)
		if err != nil {
			return err
		}
		for _, name := range f.names {
			for client, owner := range owners {
				if owner == name {
					delete(owners, client)
				}
			}
		}
		c.Owners = encodeOwners(owners, func(action.UUID) uint64 { return 1 })
	}
	return store()
}
