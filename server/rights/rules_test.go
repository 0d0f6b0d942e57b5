package rights

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
)

func TestPatterns(t *testing.T) {
	claims := Principal{Subject: "ada", Claims: map[string]any{"team": "blue", "odd": "a/b", "star": "*", "many": []any{"x"}}}
	for _, c := range []struct {
		pattern, stream string
		want            bool
	}{
		{"**", "a", true}, {"**", "a/b/c", true}, {"*", "a", true}, {"*", "a/b", false}, {"a/*", "a/b", true}, {"a/*", "a", false}, {"a/*", "b/b", false},
		{"a/**", "a", false}, {"a/**", "a/b", true}, {"a/**", "a/b/c", true}, {"a/b", "a/b", true}, {"a/b", "a/bc", false}, {"a/b", "a/b/c", false},
		{"user/{sub}/**", "user/ada/x", true}, {"user/{sub}/**", "user/bob/x", false}, {"user/{sub}/**", "user/ada", false}, {"user/{sub}/**", "user/adam/x", false},
		{"{team}/*", "blue/x", true}, {"{team}/*", "red/x", false}, {"{none}/*", "none/x", false}, {"{odd}/*", "a/b", false}, {"{odd}", "a/b", false},
		{"{star}/x", "anything/x", false}, {"{star}/x", "*/x", true}, {"{many}/x", "x/x", false},
	} {
		p, err := parsePattern(c.pattern)
		if err != nil {
			t.Fatal(c.pattern, err)
		}
		if got := p.matches(c.stream, claims.Claim); got != c.want {
			t.Errorf("%s of %s: %v", c.stream, c.pattern, got)
		}
	}
	for _, bad := range []string{"", "a//b", "/a", "a/", "**/a", "a*", "a/**/b", "{", "{}", "a{sub}", "{sub}x", "{a}{b}"} {
		if _, err := parsePattern(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

const rulesText = `{
	"secrets": {"backend": {"secret": "0123456789abcdef"}, "browsers": {"sha256": "fbd0b97732eedec403ef4e4e39de81d9f3a0788bfb76506709abf19b50f8a4f3"}},
	"rules": [
		{"secret": "backend", "streams": ["**"], "may": ["read", "append", "delete", "list"]},
		{"secret": "browsers", "streams": ["public/*"], "may": ["read"]},
		{"claims": {"role": "admin"}, "streams": ["**"], "may": ["list"]},
		{"streams": ["user/{sub}/**"], "may": ["read", "append"]}
	]}`

func TestRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.json")
	write := func(text string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Now().Add(-age), time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	write(rulesText, time.Hour)
	rs, err := LoadRules(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	who := func(token string) (Principal, error) {
		r := httptest.NewRequest("GET", "/", nil)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		return rs.Authenticate(r)
	}
	backend, err := who("0123456789abcdef")
	if err != nil || backend.Subject != "secret:backend" {
		t.Fatalf("%+v, %v", backend, err)
	}
	for _, bad := range []string{"", "0123456789abcdeF", strings.Repeat("x", 64<<10), "secret:backend"} {
		if p, err := who(bad); action.CodeOf(err) != action.CodeUnauthorized || p.Subject != "" {
			t.Errorf("%.20q: %+v, %v", bad, p, err)
		}
	}
	browsers := Principal{Subject: "secret:browsers"}
	ada := Principal{Subject: "ada"}
	admin := Principal{Subject: "root", Claims: map[string]any{"role": []any{"user", "admin"}}}
	matrix := func() (out string) {
		for _, p := range []Principal{backend, browsers, ada, admin, {}, {Subject: "secret:nobody"}} {
			for _, stream := range []string{"public/a", "user/ada/x", "user/bob/x"} {
				for _, right := range []Right{Read, Append, Delete, List} {
					out += map[bool]string{true: string(right[:1]), false: "-"}[rs.Allow(p, stream, right)]
				}
				out += " "
			}
			out += "\n"
		}
		return out
	}
	want := "radl radl radl \nr--- ---- ---- \n---- ra-- ---- \n---l ---l ---l \n---- ---- ---- \n---- ---- ---- \n"
	if got := matrix(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	// It is read again when it changes; where it is broken the last good one holds.
	again := rs.file.Look
	var heard []bool
	rs.OnRead(func(err error) { heard = append(heard, err == nil) })
	write(strings.Replace(rulesText, `"may": ["read"]`, `"may": ["read", "list"]`, 1), time.Minute)
	again()
	if !rs.Allow(browsers, "public/a", List) {
		t.Error("a changed file is not read")
	}
	write(`{"rules": [`, time.Second)
	again()
	if !rs.Allow(browsers, "public/a", List) {
		t.Error("a broken file is taken for one without rules")
	}
	if len(heard) != 2 || !heard[0] || heard[1] {
		t.Errorf("heard %v", heard)
	}
	write(strings.Replace(rulesText, `"backend": {"secret": "0123456789abcdef"}, `, "", 1), 0) // a rule names it still: broken
	again()
	if !rs.Allow(backend, "a", Delete) {
		t.Error("a broken file is taken")
	}
	for bad, place := range map[string]string{
		`{"rules": [{"streams": ["a*"], "may": ["read"]}]}`:               "/rules/0/streams/0",
		`{"rules": [{"streams": ["a"], "may": ["write"]}]}`:               "/rules/0/may/0",
		`{"rules": [{"streams": [], "may": ["read"]}]}`:                   "/rules/0",
		`{"rules": [{"secret": "x", "streams": ["a"], "may": ["read"]}]}`: "/rules/0/secret",
		`{"secrets": {"x": {}}}`:                                          "/secrets/x",
		`{"secrets": {"x": {"secret": "short"}}}`:                         "/secrets/x",
		`{"secrets": {"x": {"sha256": "zz"}}}`:                            "/secrets/x/sha256",
		`{"rule": []}`:                                                    "unknown field",
		`{} {}`:                                                           "behind the rules",
	} {
		if _, err := readRules([][]byte{[]byte(bad)}); err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestDenied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deny")
	if err := os.WriteFile(path, []byte("# who is out\nprincipal eve\naddress 192.0.2.0/24\naddress 2001:db8::1\ntoken 17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := LoadDenied(path, None())
	if err != nil {
		t.Fatal(err)
	}
	for addr, out := range map[string]bool{"192.0.2.7:1": true, "[::ffff:192.0.2.7]:1": true, "192.0.3.7:1": false, "[2001:db8::1]:1": true, "[2001:db8::2]:1": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		p, err := d.Authenticate(r)
		if (action.CodeOf(err) == action.CodeForbidden) != out || !out && !d.Allow(p, "a", Read) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	for _, p := range []Principal{{Subject: "eve"}, {Subject: "ada", TokenID: "17"}} {
		if d.Allow(p, "a", Read) {
			t.Errorf("%+v may read", p)
		}
	}
	for _, bad := range []string{"eve", "principal", "address x", "user eve"} {
		if _, err := readDenials([][]byte{[]byte(bad)}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestSchemasOfRules(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rules.json")
	load := func(schemas string) (*Rules, error) {
		if err := os.WriteFile(path, []byte(`{"rules": [], "schemas": `+schemas+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
		return LoadRules(path, nil)
	}
	rs, err := load(`[{"streams": ["lists/old"], "min": 1}, {"streams": ["lists/*", "x"], "min": 3}]`)
	if err != nil {
		t.Fatal(err)
	}
	for stream, want := range map[string]int{"lists/old": 1, "lists/1": 3, "x": 3, "y": 0, "lists/1/2": 0} {
		if got := rs.MinSchema(stream); got != want {
			t.Errorf("%s: %d, not %d", stream, got, want)
		}
	}
	for bad, at := range map[string]string{`[{"min": 3}]`: "/schemas/0", `[{"streams": ["a"]}]`: "/schemas/0", `[{"streams": ["a"], "min": -1}]`: "/schemas/0",
		`[{"streams": ["a"], "min": 1}, {"streams": ["{sub}"], "min": 1}]`: "/schemas/1/streams/0", `[{"streams": ["a"], "min": 2000000000}]`: "/schemas/0"} {
		if _, err := load(bad); err == nil || !strings.Contains(err.Error(), at) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
