package replica

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
)

// What a transaction shows of an object is what it makes of it, and showing it changes nothing.
func TestAPreviewIsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newReplicaWorld(t)
		w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":1,"tags":["a"]}}`, X)
		if rapid.Bool().Draw(t, "committed") {
			w.commit()
		}
		one := rapid.SampledFrom([]string{
			`{"op":"update","object":"$","inc":{"n":2}}`, `{"op":"update","object":"$","set":{"n":7,"m":{"a":[1]}}}`,
			`{"op":"update","object":"$","union":{"tags":["b"]}}`, `{"op":"update","object":"$","unset":["n"]}`,
			`{"op":"update","object":"$","without":{"tags":["a"]}}`, `{"op":"remove","object":"$"}`, `{"op":"create","object":"$","type":"u","fields":{}}`,
		})
		object := rapid.SampledFrom([]action.UUID{X, {0: 1, 15: 2}}).Draw(t, "object")
		ops := "[" + strings.ReplaceAll(strings.Join(rapid.SliceOfN(one, 1, 5).Draw(t, "ops"), ","), "$", object.String()) + "]"
		before := visible(w.r)
		row, err := w.r.Preview(nil, object, &queue.Draft{Ops: ops})
		if err != nil {
			t.Fatal(err)
		}
		if visible(w.r) != before {
			t.Fatal("looking has changed the state")
		}
		draft := &queue.Draft{ID: w.id(), Ops: ops}
		if err := w.r.Write(draft, 1, true); err != nil {
			return // nothing is written of what does not stand
		}
		if got := string(w.r.State().AppendRow(nil, object)); got != string(row) {
			t.Fatalf("%s\nshown   %s\nwritten %s", ops, row, got)
		}
	})
}

func TestAPreviewOfNoActionIsAnError(t *testing.T) {
	w := newReplicaWorld(t)
	for _, ops := range []string{`[]`, `[{"op":"fly"}]`, `{`, `[{"op":"update","object":"` + X.String() + `","set":{"id":1}}]`} {
		if row, err := w.r.Preview(nil, X, &queue.Draft{Ops: ops}); err == nil || len(row) > 0 {
			t.Errorf("%s: %s, %v", ops, row, err)
		}
	}
}
