package data

import (
	"context"
	"strings"

	"github.com/strandline-sync/strandline/server/engine"
)

// namesAtOnce is how many streams are looked at in one step.
const namesAtOnce = 256

// Forget deletes the data streams that are a principal's own, and takes its name from those that it has closed. What stands beside entries is the
// engine's. It gives how many were deleted.
func (s *Streams) Forget(ctx context.Context, principal string, theirs func(stream string) bool) (deleted int, err error) {
	for after := ""; ; {
		var names []string
		if err := s.engine.ViewData(ctx, func(tx engine.DataTx) (err error) {
			names, err = tx.DataNames(after, namesAtOnce)
			return err
		}); err != nil || len(names) == 0 {
			return deleted, err
		}
		for _, name := range names {
			own, gone := theirs(name), false
			if err := s.engine.UpdateData(ctx, func(tx engine.DataTx) error {
				d, err := tx.DataStream(name)
				if err != nil || d == nil {
					return err
				}
				if own && !d.Deleted {
					gone = true
					return remove(tx, d)
				}
				m, err := readMeta(d)
				if err != nil || m.ClosedBy == nil || !strings.HasPrefix(m.ClosedBy.Name, principal+"\x00") {
					return err
				}
				m.ClosedBy = nil
				if err := m.write(d); err != nil {
					return err
				}
				return tx.PutData(d)
			}); err != nil {
				return deleted, err
			}
			if gone {
				deleted++
				s.moved(name)
			}
		}
		after = names[len(names)-1]
	}
}
