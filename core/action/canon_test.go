package action

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCanonical(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{}`, `{}`},
		{` { "b" : 1 , "a" : [ true , null ] } `, `{"a":[true,null],"b":1}`},
		{`"\u0041\/\u001F\u0008\u20ac"`, "\"A/\\u001f\\b\u20ac\""},
		{`"\ud83d\ude00"`, `"😀"`},
		{`"\u2028<>&\u007f"`, "\"\u2028<>&\u007f\""},
		{`-0`, `0`}, {`-0.0`, `0`}, {`1.0`, `1`}, {`1e2`, `100`}, {`1E+2`, `100`}, {`0.000001`, `0.000001`}, {`0.0000001`, `1e-7`},
		{`1e21`, `1e+21`}, {`123456789012345678901`, `123456789012345680000`}, {`9007199254740993`, `9007199254740992`},
		{`1e-400`, `0`}, {`4.9e-324`, `5e-324`}, {`1.7976931348623157e308`, `1.7976931348623157e+308`},
		// RFC 8785 section 3.2.3: sorted by UTF-16 code units, so that U+1F600 comes before U+FB33.
		{`{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`, "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{`{"__proto__":{"a":1}}`, `{"__proto__":{"a":1}}`},
	} {
		got, err := Canonical(c.in, MaxDepth)
		if err != nil || got != c.want {
			t.Errorf("%s: %s, %v; want %s", c.in, got, err, c.want)
		}
	}
}

func TestMalformedJSONNamesThePlace(t *testing.T) {
	for _, c := range []struct{ in, path string }{
		{``, ""}, {`{`, ""}, {`[1,]`, "/1"}, {`{"a":1,}`, ""}, {`{"a" 1}`, ""}, {`nul`, ""}, {`01`, ""}, {`1.`, ""}, {`-`, ""}, {`.5`, ""}, {`1e`, ""}, {`+1`, ""}, {`0x1`, ""}, {`NaN`, ""},
		{`{"a":{"b":[1,2,"\ud800"]}}`, "/a/b/2"}, {`{"a":"\udc00\ud800"}`, "/a"}, {`{"a/b":{"~":1e999}}`, "/a~1b/~0"},
		{`{"a":1,"b":2,"a":3}`, "/a"}, {`{"a":1,"\u0061":3}`, "/a"}, {"\"\xff\"", ""}, {"\"\xed\xa0\x80\"", ""}, {"\"a\nb\"", ""}, {`"\x"`, ""}, {`"\u12g4"`, ""}, {`1 2`, ""},
		{strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat("/0", 64)},
	} {
		_, err := Canonical(c.in, MaxDepth)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeMalformed || e.Path != c.path {
			t.Errorf("%.60q: %v", c.in, err)
		}
	}
	if _, err := Canonical(strings.Repeat("[", 64)+strings.Repeat("]", 64), MaxDepth); err != nil {
		t.Errorf("64 levels: %v", err)
	}
}

func TestKeysSortAsUTF16(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			return
		}
		u, v := utf16.Encode([]rune(a)), utf16.Encode([]rune(b))
		want := 0
		for i := 0; want == 0 && i < len(u) && i < len(v); i++ {
			want = int(u[i]) - int(v[i])
		}
		if want == 0 {
			want = len(u) - len(v)
		}
		if got := CompareKeys(a, b); got < 0 != (want < 0) || got > 0 != (want > 0) {
			t.Fatalf("%q, %q: %d, want %d", a, b, got, want)
		}
	})
}

// FuzzCanonical holds the codec against encoding/json: what both take is the same value, and what only encoding/json takes is one
// of the things that it is lax about.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`{"b":[1,-0,1e21,"\ud83d\ude00"],"a":null}`, `"\ud800"`, `{"a":1,"a":2}`, "\"\xff\"", `[[[]]]`, `1e999`, ` [ ] `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := Canonical(text, MaxDepth)
		var std any
		stdErr := json.Unmarshal([]byte(text), &std)
		if err != nil {
			if stdErr == nil && !lax(text) {
				t.Fatalf("%q: refused (%v), but encoding/json takes it", text, err)
			}
			return
		}
		if stdErr != nil {
			t.Fatalf("%q: taken, but encoding/json refuses: %v", text, stdErr)
		}
		var back any
		if err := json.Unmarshal([]byte(got), &back); err != nil || !reflect.DeepEqual(std, back) {
			t.Fatalf("%q became %q: another value (%v)", text, got, err)
		}
		if canonicalEnd(got, 0, MaxDepth) != len(got) {
			t.Fatalf("%q became %q, which is not taken as canonical", text, got)
		}
	})
}

// lax tells whether encoding/json takes a text that is refused here for a reason: it rewrites bad UTF-8 and lone surrogates, takes the
// last of two equal keys, and nests deeper.
func lax(text string) bool {
	if !utf8.ValidString(text) || strings.Contains(strings.ToLower(text), `\ud`) || strings.Count(text, "[")+strings.Count(text, "{") > MaxDepth {
		return true
	}
	return duplicates(json.NewDecoder(strings.NewReader(text)))
}

func duplicates(d *json.Decoder) bool {
	tok, err := d.Token()
	if err != nil {
		return false
	}
	switch tok {
	case json.Delim('{'):
		seen := map[string]bool{}
		twice := false
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return twice
			}
			twice = twice || seen[key.(string)]
			seen[key.(string)] = true
			twice = duplicates(d) || twice
		}
		d.Token()
		return twice
	case json.Delim('['):
		twice := false
		for d.More() {
			twice = duplicates(d) || twice
		}
		d.Token()
		return twice
	}
	return false
}

func TestStringsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		if !utf8.ValidString(s) {
			return
		}
		quoted := string(AppendString(nil, s))
		if canonicalString(quoted, 0) != len(quoted) {
			t.Fatalf("%q: %s is not taken as canonical", s, quoted)
		}
		if got := Unquote(quoted); got != s {
			t.Fatalf("%q came back as %q", s, got)
		}
		if n := MemberBytes(s, "1") - 3; n != len(quoted) {
			t.Fatalf("%q: size %d, is %d", s, n, len(quoted))
		}
	})
}
