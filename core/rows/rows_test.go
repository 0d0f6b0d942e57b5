package rows

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
)

// A table that is fed by pieces of any size, between changes, holds the state whenever no piece follows.
func TestPiecesLeadToTheState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, news := state.NewState(), News{}
		table, staged, whole := map[string]string{}, map[string]string{}, false
		for i := range rapid.IntRange(1, 40).Draw(t, "log") {
			a := actiontest.Action(t, i, s.Head)
			s.ApplyEntry(a, nil, nil)
			var ids []action.UUID
			for o := range a.Ops {
				ids = append(ids, a.Ops[o].Object)
			}
			news.Differs(&replica.Difference{Shown: ids, All: rapid.IntRange(0, 9).Draw(t, "all") == 0})
			for range rapid.IntRange(0, 3).Draw(t, "pieces") {
				piece, begins, more := news.Piece(nil, s, rapid.IntRange(20, 400).Draw(t, "most"))
				var p struct {
					Rows []json.RawMessage
					Gone []string
				}
				if err := json.Unmarshal(piece, &p); err != nil {
					t.Fatalf("%v: %s", err, piece)
				}
				if begins {
					staged, whole = map[string]string{}, true
				}
				for _, row := range p.Rows {
					staged[string(row[7:43])] = string(row)
				}
				for _, id := range p.Gone {
					staged[id] = ""
				}
				if more {
					continue
				}
				if whole {
					table = map[string]string{}
				}
				for id, row := range staged {
					if table[id] = row; row == "" {
						delete(table, id)
					}
				}
				staged, whole = map[string]string{}, false
				want := map[string]string{}
				for o := range s.Objects() {
					want[o.ID().String()] = string(s.AppendRow(nil, o.ID()))
				}
				if fmt.Sprint(table) != fmt.Sprint(want) {
					t.Fatalf("\n got %v\nwant %v", table, want)
				}
			}
		}
	})
}
