package action

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

const (
	idA     = `"id":"ac710000-0000-7000-8000-000000000001"`
	clientA = `"client":"00000000-0000-4000-8000-00000000000a"`
	objectA = `"object":"0b1ec700-0000-4000-8000-000000000001"`
)

func TestInvalidActionsNameThePlace(t *testing.T) {
	action := func(rest string) string { return `{` + idA + `,` + clientA + `,"seq":1,"base":0,` + rest + `}` }
	ops := func(op string) string { return action(`"ops":[` + op + `]`) }
	for _, c := range []struct{ in, code, path string }{
		{`[]`, CodeMalformed, ""},
		{`{}`, CodeMalformed, "/base"},
		{action(`"ops":[]`), CodeMalformed, "/ops"},
		{action(`"ops":{}`), CodeMalformed, "/ops"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"extra":1`), CodeMalformed, "/extra"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"atomic":false`), CodeMalformed, "/atomic"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"at":5`), CodeMalformed, "/at"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"meta":"` + strings.Repeat("x", 4095) + `"`), CodeTooLarge, "/meta"},
		{`{` + idA + `,` + clientA + `,"seq":0,"base":0,"ops":[{"op":"remove",` + objectA + `}]}`, CodeMalformed, "/seq"},
		{`{` + idA + `,` + clientA + `,"seq":1.5,"base":0,"ops":[{"op":"remove",` + objectA + `}]}`, CodeMalformed, "/seq"},
		{`{` + idA + `,` + clientA + `,"seq":9007199254740992,"base":0,"ops":[{"op":"remove",` + objectA + `}]}`, CodeMalformed, "/seq"},
		{`{` + idA + `,` + clientA + `,"seq":1,"base":-1,"ops":[{"op":"remove",` + objectA + `}]}`, CodeMalformed, "/base"},
		{`{"id":"AC710000-0000-7000-8000-000000000001",` + clientA + `,"seq":1,"base":0,"ops":[{"op":"remove",` + objectA + `}]}`, CodeMalformed, "/id"},
		{ops(`{"op":"remove"}`), CodeMalformed, "/ops/0/object"},
		{ops(`{` + objectA + `}`), CodeMalformed, "/ops/0/op"},
		{ops(`{"op":"remove",` + objectA + `,"type":"t"}`), CodeMalformed, "/ops/0"},
		{ops(`{"op":"create",` + objectA + `,"fields":{}}`), CodeMalformed, "/ops/0/type"},
		{ops(`{"op":"create",` + objectA + `,"type":"t"}`), CodeMalformed, "/ops/0/fields"},
		{ops(`{"op":"create",` + objectA + `,"type":"","fields":{}}`), CodeMalformed, "/ops/0/type"},
		{ops(`{"op":"create",` + objectA + `,"type":"` + strings.Repeat("é", 65) + `","fields":{}}`), CodeTooLarge, "/ops/0/type"},
		{ops(`{"op":"create",` + objectA + `,"type":"t","fields":{"` + strings.Repeat("k", 129) + `":1}}`), CodeTooLarge, "/ops/0/fields/" + strings.Repeat("k", 129)},
		{ops(`{"op":"create",` + objectA + `,"type":"t","fields":{},"lock":false}`), CodeMalformed, "/ops/0/lock"},
		{ops(`{"op":"create",` + objectA + `,"type":"t","fields":{},"set":{}}`), CodeMalformed, "/ops/0"},
		{ops(`{"op":"update",` + objectA + `,"inc":{"a":"1"}}`), CodeMalformed, "/ops/0/inc/a"},
		{ops(`{"op":"update",` + objectA + `,"union":{"a":1}}`), CodeMalformed, "/ops/0/union/a"},
		{ops(`{"op":"update",` + objectA + `,"unset":["a","a"]}`), CodeMalformed, "/ops/0/a"},
		{ops(`{"op":"update",` + objectA + `,"set":{"a":1},"inc":{"a":1}}`), CodeMalformed, "/ops/0/a"},
		{ops(`{"op":"update",` + objectA + `,"union":{"a":[` + strings.Repeat("1,", 1000) + `1]}}`), CodeTooLarge, "/ops/0/union/a"},
		{ops(`{"op":"merge",` + objectA + `,"with":[1]}`), CodeUpgrade, "/ops/0/op"},
		{ops(strings.Repeat(`{"op":"remove",`+objectA+`},`, 1000) + `{"op":"remove",` + objectA + `}`), CodeTooLarge, "/ops"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"if":[{` + objectA + `}]`), CodeMalformed, "/if/0"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"if":[{` + objectA + `,"key":"a","exists":1}]`), CodeMalformed, "/if/0/exists"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"if":[{` + objectA + `,"key":"id","exists":true}]`), CodeMalformed, "/if/0/key"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"if":[{` + objectA + `,"unchanged":false}]`), CodeMalformed, "/if/0/unchanged"},
		{action(`"ops":[{"op":"remove",` + objectA + `}],"if":[` + strings.Repeat(`{`+objectA+`,"exists":true},`, 100) + `{` + objectA + `,"exists":true}]`), CodeTooLarge, "/if"},
		{ops(`{"op":"create",` + objectA + `,"type":"t","fields":{"a":` + strings.Repeat("[", 61) + strings.Repeat("]", 61) + `}}`), CodeMalformed, "/ops/0/fields/a" + strings.Repeat("/0", 60)},
	} {
		_, err := DecodeAction(c.in)
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || e.Path != c.path {
			t.Errorf("%.150s: %v", c.in, err)
		}
	}
	if _, err := DecodeAction(ops(`{"op":"create",` + objectA + `,"type":"t","fields":{"a":` + strings.Repeat("[", 60) + strings.Repeat("]", 60) + `}}`)); err != nil {
		t.Errorf("64 levels: %v", err)
	}
}

// FuzzAction holds the action codec against encoding/json: what it takes has canonical bytes that decode to the same action,
// whatever the order and layout it came in, and mean the same JSON.
func FuzzAction(f *testing.F) {
	f.Add(`{` + idA + `,` + clientA + `,"seq":1,"base":0,"ops":[{"op":"update",` + objectA + `,"set":{"b":1,"a":[{}]},"inc":{"n":1e2},"unset":["z"]}],"if":[{` + objectA + `,"unchanged":true}],"atomic":true,"meta":{"k":null}}`)
	f.Add(`{` + idA + `,` + clientA + `,"seq":1,"base":0,"ops":[{"op":"create",` + objectA + `,"type":"t","fields":{"a":"\u0000"},"lock":true}]}`)
	f.Add(`{` + idA + `,` + clientA + `,"seq":1,"base":0,"ops":[{"op":"frob",` + objectA + `}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := DecodeAction(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Code != CodeMalformed && e.Code != CodeTooLarge && e.Code != CodeUpgrade {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if canonicalEnd(a.Raw, 0, MaxDepth) != len(a.Raw) {
			t.Fatalf("%q: its bytes are not canonical: %s", text, a.Raw)
		}
		again, err := DecodeAction(a.Raw)
		if err != nil || !reflect.DeepEqual(a, again) {
			t.Fatalf("%q: %+v, then %+v, %v", text, a, again, err)
		}
		var one, two any
		if json.Unmarshal([]byte(text), &one) != nil || json.Unmarshal([]byte(a.Raw), &two) != nil || !reflect.DeepEqual(one, two) {
			t.Fatalf("%q became %s", text, a.Raw)
		}
	})
}
