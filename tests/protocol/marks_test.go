package protocol

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/server/engine"
)

// Who follows a log that was deleted on purpose is told so, whatever stands in its place; who follows one that was lost is told that it is another one.
func TestALogThatWasDeleted(t *testing.T) {
	a := newAPI(t, nil)
	old := a.add(1, 1, 3, item{})
	code := func(it item) string {
		if it.Error == nil {
			return ""
		}
		return it.Error.Code
	}
	if status, _, _ := a.request(http.MethodDelete, "/v1/log?stream=s", nil, nil); status != 204 {
		t.Fatal(status)
	}
	follow := func() item { return a.turn(1, at(old)+`,"actions":[`+actionOf(1, 9, 0, creates(9))+`]`) }
	if it := follow(); code(it) != "deleted" || len(it.Persisted) != 0 || it.Head != 0 {
		t.Errorf("%+v", it)
	}
	fresh := a.add(2, 1, 5, item{})
	if it := follow(); code(it) != "deleted" || it.Epoch != fresh.Epoch || it.Head != 5 {
		t.Errorf("%+v", it)
	}
	lost := strings.Replace(at(old), old.Epoch, "00000000-0000-4000-8000-0000000000ee", 1)
	if it := a.turn(1, lost); code(it) != "epoch" {
		t.Errorf("%+v", it)
	}
	if it := a.turn(2, at(fresh)); code(it) != "" {
		t.Errorf("%+v", it)
	}
}

// A client says where it has been, and hears how far that is still this log.
func TestMarks(t *testing.T) {
	a := newAPI(t, nil)
	chains, it := []string{""}, item{}
	for n := range 9 {
		it = a.add(1, n+1, 1, it)
		chains = append(chains, it.Chain)
	}
	mark := func(index int, chain string) string { return fmt.Sprintf(`{"index":%d,"chain":"%s"}`, index, chain) }
	ask := func(rest string, marks ...string) item {
		return a.turn(1, rest+`,"marks":[`+strings.Join(marks, ",")+`]`)
	}
	wrong, other := "00000000000000aa", strings.Replace(at(it), it.Chain, "00000000000000ab", 1)
	for i, c := range []struct {
		marks  []string
		common uint64
	}{
		{[]string{mark(3, chains[3]), mark(7, chains[7]), mark(8, wrong), mark(20, wrong)}, 7},
		{[]string{mark(9, wrong), mark(1, chains[1])}, 1}, {[]string{mark(9, chains[9])}, 9}, {[]string{mark(4, chains[5])}, 0}, {[]string{mark(0, "0000000000000000")}, 0},
	} {
		for _, rest := range []string{at(it), other} {
			got := ask(rest, c.marks...)
			if got.Common == nil || *got.Common != c.common || (got.Error != nil) != (rest == other) {
				t.Errorf("%d: %+v", i, got)
			}
		}
	}
	if got := a.turn(1, at(it)); got.Common != nil {
		t.Errorf("%+v", got)
	}
	// What a checkpoint has taken the place of cannot be told.
	c := &engine.Checkpoint{Index: 6, Owners: []byte("{}"), Packed: []byte{}}
	copy(c.Epoch[:], epochOf(t, a))
	if err := a.engine.PutCheckpoint(context.Background(), "s", c, 5); err != nil {
		t.Fatal(err)
	}
	if got := ask(at(it), mark(3, chains[3]), mark(4, chains[4])); got.Common == nil || *got.Common != 0 {
		t.Errorf("%+v", got)
	}
	if got := ask(at(it), mark(3, chains[3]), mark(5, chains[5])); got.Common == nil || *got.Common != 5 {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{`{}`, `[{}]`, `[{"index":1}]`, `[{"chain":"0000000000000000"}]`, `[{"index":-1,"chain":"0000000000000000"}]`, `[{"index":1,"chain":"x"}]`,
		`[{"index":1,"chain":"0000000000000000","more":1}]`, `[` + strings.Repeat(mark(1, wrong)+",", 64) + mark(1, wrong) + `]`} {
		if got := a.turn(1, at(it)+`,"marks":`+bad); got.Error == nil || got.Error.Code != "malformed" {
			t.Errorf("%.80s: %+v", bad, got)
		}
	}
	if got := a.turn(1, at(it)+`,"marks":[`+strings.TrimSuffix(strings.Repeat(mark(9, chains[9])+",", 64), ",")+`]`); got.Error != nil || *got.Common != 9 {
		t.Errorf("%+v", got)
	}
}

func epochOf(t *testing.T, a *api) []byte {
	log, err := a.engine.Log(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	return log.Epoch[:]
}
