package replica

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/checkpoint"
	"github.com/strandline-sync/strandline/core/locallog"
)

// storedLog is a local log as a version of a format has left it, and what it holds.
type storedLog struct {
	Format    int             `json:"format"`
	Stream    string          `json:"stream"`
	Manifest  []byte          `json:"manifest"`
	Pages     [][]byte        `json:"pages"`
	Records   [][]byte        `json:"records"`
	Rows      string          `json:"rows"`
	Head      uint64          `json:"head"`
	Pending   json.RawMessage `json:"pending"`
	Rejected  int             `json:"rejected"`
	Conflicts int             `json:"conflicts"`
}

// Formats are for ever: a local log of each is read, and holds what it held; what is written then is read, too. One of a newer format is
// refused as such.
func TestLocalLogsOfEachFormat(t *testing.T) {
	files, err := filepath.Glob("testdata/formats/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var was storedLog
			if err := json.Unmarshal(text, &was); err != nil {
				t.Fatal(err)
			}
			log := &locallog.Log{Manifest: was.Manifest, Pages: was.Pages, Records: was.Records}
			r, err := Read(was.Stream, 0, log, nil)
			if err != nil {
				t.Fatal(err)
			}
			was.holds(t, r)
			n := checkpoint.Whole(r.state, r.Undos(), r.LogID())
			for !n.Step() {
			}
			n.Place(r.next-1, r)
			c := n.Seal(r.Base())
			again := &locallog.Log{Manifest: c.Manifest}
			for _, p := range c.Pages {
				if !strings.HasPrefix(p.Name, locallog.BehindPages) {
					again.Pages = append(again.Pages, p.Bytes)
				}
			}
			if r, err = Read(was.Stream, 0, again, nil); err != nil {
				t.Fatal(err)
			}
			was.holds(t, r)
			for _, part := range []*[]byte{&log.Manifest, &log.Pages[0], &log.Pages[len(log.Pages)-1], &log.Records[0]} {
				whole := *part
				*part = slices.Clone(whole)
				(*part)[0] = 7
				if _, err := Read(was.Stream, 0, log, nil); action.CodeOf(err) != action.CodeUpgrade {
					t.Errorf("of a newer format: %v", err)
				}
				*part = whole
			}
		})
	}
}

func (was *storedLog) holds(t *testing.T, r *Replica) {
	t.Helper()
	var lines []string
	for o := range r.state.Objects() {
		lines = append(lines, string(r.state.AppendRow(nil, o.ID()))+"\n")
	}
	slices.Sort(lines)
	if rows := strings.Join(lines, ""); rows != was.Rows {
		t.Errorf("other rows\n%s\nwant\n%s", rows, was.Rows)
	}
	var got, want []action.UUID
	for _, text := range []string{string(r.AppendPending(nil, nil)), string(was.Pending)} {
		var list []struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			id, _ := action.ParseUUID(a.ID)
			got = append(got, id)
		}
		if want == nil {
			want, got = got, nil
		}
	}
	if !slices.Equal(got, want) || r.state.Head != was.Head || r.Refusals() != was.Rejected || len(r.Conflicts()) != was.Conflicts {
		t.Errorf("head %d, %d refused, %d conflicts, pending %v and %v", r.state.Head, r.Refusals(), len(r.Conflicts()), got, want)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}
