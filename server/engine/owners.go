package engine

import (
	"encoding/json"
	"fmt"
)

// Disown has Nobody own in a checkpoint's owners what a principal does; changed tells whether it owned any.
func Disown(owners []byte, principal string) (_ []byte, changed bool, err error) {
	var all map[string]string
	if err := json.Unmarshal(owners, &all); err != nil {
		return nil, false, fmt.Errorf("read the owners of a checkpoint: %w", err)
	}
	for client, owner := range all {
		if owner == principal {
			all[client], changed = Nobody, true
		}
	}
	if !changed {
		return owners, false, nil
	}
	b, err := json.Marshal(all)
	return b, err == nil, err
}
