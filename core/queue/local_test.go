package queue

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
)

// An action is what its bytes say, whichever way they were made: of ops in canonical form, which are read where they lie, or of any other JSON.
func TestAnActionIsWhatItsBytesSay(t *testing.T) {
	object := `"object":"0b1ec700-0000-4000-8000-000000000001"`
	rapid.Check(t, func(t *rapid.T) {
		ops := rapid.SliceOfN(rapid.SampledFrom([]string{
			`{"fields":{"a":1,"b":"x"},` + object + `,"op":"create","type":"todo"}`,
			`{"op":"create",` + object + `,"type":"todo","fields":{"b":"x","a":1}}`,
			`{` + object + `,"op":"update","set":{"a":1.5e3,"b":[1,{"d":1,"c":null}]}}`,
			`{` + object + `,"op":"update","set":{"a":1500,"b":[1,{"c":null,"d":1}]},"unset":["z"]}`,
			`{"op":"remove",` + object + `}`, `{` + object + `,"op":"remove"}`,
			`{` + object + `,"op":"update","set":{"a":"\u00e9","e":"é"}}`,
			`{` + object + `,"op":"update","set":{"a":1,"a":2}}`,
			`{` + object + `,"op":"fly"}`, `{"op":"remove"}`,
		}), 1, 4).Draw(t, "ops")
		d := Draft{ID: action.UUID{1}, At: rapid.Int64Range(0, 4e12).Draw(t, "at"), Ops: "[" + strings.Join(ops, ",") + "]", Atomic: rapid.Bool().Draw(t, "atomic")}
		if rapid.Bool().Draw(t, "guarded") {
			d.Guards = `[{"exists":true,` + object + `}]`
		}
		d.Upon = uint64(rapid.IntRange(0, 9).Draw(t, "upon"))
		client, sl := action.UUID{2}, new(action.Slab)
		l, err := Make(&d, client, 7, sl)
		canon, wrong := action.Canonical(d.Ops, action.MaxDepth-1)
		if wrong != nil {
			if err == nil {
				t.Fatalf("%s was taken", d.Ops)
			}
			return
		}
		if err != nil {
			return // of the ops themselves: action's tests have these
		}
		read, err := action.DecodeAction(l.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(l.Raw, `"ops":`+canon+`,"seq"`) || read.Raw != l.Raw {
			t.Fatalf("%s became %s", d.Ops, l.Raw)
		}
		if read.At != l.At || read.ID != l.ID || read.Client != l.Client || read.Base != l.Action.Base || read.Atomic != l.Atomic || len(read.Ops) != len(l.Ops) || len(read.Guards) != len(l.Guards) {
			t.Fatalf("%+v was read as %+v", l.Action, read)
		}
		for i := range read.Ops {
			if a, b := &read.Ops[i], &l.Ops[i]; a.Kind != b.Kind || a.Object != b.Object || a.Type != b.Type || len(a.Changes) != len(b.Changes) {
				t.Fatalf("op %d: %+v was read as %+v", i, b, a)
			}
		}
	})
}
