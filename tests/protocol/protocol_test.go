// Package protocol holds the server to docs/PROTOCOL.md, over HTTP and from outside.
package protocol

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
	"github.com/strandline-sync/strandline/tests/patience"
)

func TestTheFourRules(t *testing.T) {
	a := newAPI(t, nil)
	// An unwritten stream: head 0, and no epoch; an empty drain changes nothing.
	for _, rest := range []string{`"after":0`, `"after":0,"drain":true`, `"after":0`} {
		if it := a.turn(1, rest); it.Head != 0 || it.Epoch != "" || it.Chain != "0000000000000000" || it.Error != nil {
			t.Fatalf("%s: %+v", rest, it)
		}
	}
	// Rule 3: taken in one step.
	one := a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, creates(1))+`,`+actionOf(1, 2, 0, creates(2))+`]`)
	if len(one.Persisted) != 2 || one.Persisted[1].Index != 2 || one.Persisted[0].ID != actionID(1, 1) || one.Head != 2 || one.Epoch == "" || len(one.Entries) > 0 {
		t.Fatalf("%+v", one)
	}
	// Rule 4.
	if it := a.turn(1, at(one)); it.Head != 2 || it.Chain != one.Chain || len(it.Entries)+len(it.Persisted) > 0 || it.Error != nil {
		t.Fatalf("%+v", it)
	}
	// Rule 2: entries, and the actions are not looked at, whatever they are.
	for _, actions := range []string{actionOf(2, 1, 0, creates(3)), actionOf(9, 1, 0, creates(3)), `{"id":"` + actionID(2, 1) + `","client":"` + clientID(2) + `"}`} {
		it := a.turn(2, `"after":0,"limit":1,"actions":[`+actions+`]`)
		if it.Error != nil || len(it.Entries) != 1 || it.Entries[0].Index != 1 || len(it.Persisted)+len(it.Rejected) > 0 || it.Head != 2 {
			t.Fatalf("%+v", it)
		}
		if !strings.HasPrefix(string(it.Entries[0].Action), `{"base":0,"client":`) || it.Entries[0].Stored == "" {
			t.Fatalf("not the canonical bytes: %s", it.Entries[0].Action)
		}
	}
	// A retry after a lost reply ends in rule 2, and the action is there once.
	if it := a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, creates(1))+`]`); len(it.Entries) != 2 || it.Head != 2 {
		t.Fatalf("%+v", it)
	}
	// Rule 0.
	for name, rest := range map[string]string{
		"beyond the head":   fmt.Sprintf(`"after":3,"epoch":"%s","chain":"%s"`, one.Epoch, one.Chain),
		"another chain":     fmt.Sprintf(`"after":2,"epoch":"%s","chain":"0123456789abcdef"`, one.Epoch),
		"an earlier chain":  fmt.Sprintf(`"after":1,"epoch":"%s","chain":"%s"`, one.Epoch, one.Chain),
		"a chain at 0":      fmt.Sprintf(`"after":0,"chain":"%s"`, one.Chain),
		"both and an offer": fmt.Sprintf(`"after":2,"epoch":"%s","chain":"0123456789abcdef","actions":[%s]`, clientID(7), actionOf(1, 3, 0, creates(3))),
	} {
		it := a.turn(1, rest)
		if it.Error == nil || it.Error.Code != "epoch" || it.Epoch != one.Epoch || it.Head != 2 {
			t.Errorf("%s: %+v", name, it)
		}
	}
	// The epoch alone is no error: the answer carries the server's.
	if it := a.turn(1, fmt.Sprintf(`"after":2,"epoch":"%s","chain":"%s"`, clientID(7), one.Chain)); it.Error != nil || it.Epoch != one.Epoch {
		t.Fatalf("%+v", it)
	}
}

func TestVerdicts(t *testing.T) {
	a := newAPI(t, nil)
	offer := func(client int, prev item, actions ...string) item {
		t.Helper()
		return a.turn(client, at(prev)+`,"actions":[`+strings.Join(actions, ",")+`]`)
	}
	ids := func(it item) string {
		var out []string
		for _, p := range it.Persisted {
			out = append(out, "+"+p.ID[24:])
		}
		for _, r := range it.Rejected {
			out = append(out, "-"+r.ID[24:]+" "+r.Code)
		}
		return strings.Join(out, ", ")
	}
	unknown := actionOf(1, 2, 0, `[{"op":"frob","object":"`+objectID(1)+`"}]`)
	reserved := actionOf(1, 3, 0, `[{"op":"create","object":"`+objectID(1)+`","type":"t","fields":{"id":1}}]`)
	unlocks := actionOf(1, 4, 0, `[{"op":"unlock","object":"`+objectID(1)+`"}]`)
	ahead := actionOf(1, 5, 99, creates(5))
	big := actionOf(1, 6, 0, `[{"op":"create","object":"`+objectID(6)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 300<<10)+`"}}]`)
	// Up to the first refusal, then verdicts while they are refusals, then nothing.
	first := offer(1, item{}, actionOf(1, 1, 0, creates(1)), unknown, reserved, unlocks, ahead, big, actionOf(1, 7, 0, creates(7)), actionOf(1, 8, 99, creates(8)))
	want := "+000000000001, -000000000002 malformed, -000000000003 malformed, -000000000004 malformed, -000000000005 malformed, -000000000006 too-large"
	if got := ids(first); got != want || first.Head != 1 {
		t.Fatalf("\n got %s\nwant %s\n%+v", got, want, first)
	}
	// The fold decides these, not the server: they are appended.
	second := offer(1, first, actionOf(1, 7, 0, creates(1)), actionOf(1, 8, 0, `[{"op":"remove","object":"`+objectID(99)+`"}]`))
	if got := ids(second); got != "+000000000007, +000000000008" {
		t.Fatal(got)
	}
	// seq does not rise from above the client's last: nothing is taken.
	for name, actions := range map[string][]string{
		"again":      {actionOf(1, 8, 0, creates(9))},
		"not rising": {actionOf(1, 9, 0, creates(9)), actionOf(1, 9, 0, creates(10))},
		"falling":    {actionOf(1, 12, 0, creates(9)), actionOf(1, 11, 0, `[{"op":"frob","object":"`+objectID(1)+`"}]`)},
	} {
		if it := offer(1, second, actions...); it.Error == nil || it.Error.Code != "client" || len(it.Persisted) > 0 || it.Head != 3 {
			t.Errorf("%s: %+v", name, it)
		}
	}
	// Item errors: nothing is taken, and other items are answered.
	for name, it := range map[string]string{
		"another client's action": `"client":"` + clientID(1) + `",` + at(second) + `,"actions":[` + actionOf(2, 1, 0, creates(9)) + `]`,
		"the server's client":     `"client":"00000000-0000-0000-0000-000000000000","after":0`,
		"no client":               `"after":0`,
		"no after":                `"client":"` + clientID(1) + `"`,
		"no epoch":                `"client":"` + clientID(1) + `","after":3,"chain":"` + second.Chain + `"`,
		"no chain":                `"client":"` + clientID(1) + `","after":3,"epoch":"` + second.Epoch + `"`,
		"a broken after":          `"client":"` + clientID(1) + `","after":-1`,
		"a broken chain":          `"client":"` + clientID(1) + `","after":3,"epoch":"` + second.Epoch + `","chain":"xyz"`,
		"an unknown member":       `"client":"` + clientID(1) + `","after":0,"action":[]`,
		"a limit of none":         `"client":"` + clientID(1) + `","after":0,"limit":0`,
	} {
		items := a.sync(`{"streams":[{"stream":"s",` + it + `},{"stream":"other","client":"` + clientID(1) + `","after":0}]}`)
		if len(items) != 2 || items[0].Error == nil || items[0].Error.Code != "malformed" || items[1].Error != nil {
			t.Errorf("%s: %+v", name, items)
		}
	}
	for _, name := range []string{"", "a//b", "../a", "a b", strings.Repeat("a", 201), "ä"} {
		text, _ := json.Marshal(name)
		items := a.sync(`{"streams":[{"stream":` + string(text) + `,"client":"` + clientID(1) + `","after":0}]}`)
		if items[0].Error == nil || items[0].Error.Code != "malformed" {
			t.Errorf("%q: %+v", name, items)
		}
	}
	if it := a.turn(1, at(second)); it.Head != 3 {
		t.Fatalf("something was taken: %+v", it)
	}
}

func TestDrainReleasesWhatTheClientHolds(t *testing.T) {
	a := newAPI(t, nil)
	var actions []string
	for i := range 3 { // more than one unlock entry can hold
		var ops []string
		for j := range 500 {
			ops = append(ops, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{},"lock":true}`, objectID(i*500+j)))
		}
		actions = append(actions, actionOf(1, i+1, 0, "["+strings.Join(ops, ",")+"]"))
	}
	refused := actionOf(1, 9, 0, `[{"op":"frob","object":"`+objectID(1)+`"}]`)
	held := a.turn(1, `"after":0,"drain":true,"actions":[`+actions[0]+`,`+refused+`]`)
	if held.Head != 1 || len(held.Rejected) != 1 {
		t.Fatalf("a drain with a refusal: %+v", held)
	}
	done := a.turn(1, at(held)+`,"drain":true,"actions":[`+actions[1]+`,`+actions[2]+`]`)
	if len(done.Persisted) != 2 || done.Head != 5 { // two entries of unlocks
		t.Fatalf("%+v", done)
	}
	// The chain is of the last persisted; the next turn fetches the unlocks.
	next := a.turn(1, fmt.Sprintf(`"after":3,"epoch":"%s","chain":"%s"`, done.Epoch, done.Chain))
	if len(next.Entries) != 2 || next.Entries[0].Index != 4 {
		t.Fatalf("%+v", next)
	}
	n := 0
	for _, e := range next.Entries {
		var act struct {
			Client string
			Seq    int
			Ops    []struct{ Op, Object string }
		}
		json.Unmarshal(e.Action, &act)
		if act.Client != "00000000-0000-0000-0000-000000000000" || act.Seq != 0 || len(act.Ops) > 1000 {
			t.Fatalf("%s", e.Action)
		}
		n += len(act.Ops)
	}
	if n != 1500 {
		t.Fatalf("%d unlocks", n)
	}
	if it := a.turn(1, fmt.Sprintf(`"after":5,"epoch":"%s","chain":"%s","drain":true`, next.Epoch, next.Chain)); it.Head != 5 || it.Error != nil {
		t.Fatalf("a drain that holds nothing: %+v", it)
	}
}

// Precedence: route, method, version, authorization, media type, size, form. Each request has every fault after the one it is
// answered for.
func TestErrorPrecedence(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.Auth = server.Secret("sesame"); c.MaxRequestBytes = 1000 })
	big := bytes.Repeat([]byte("{"), 2000)
	for _, c := range []struct {
		name, method, path string
		token              string
		header             map[string]string
		body               []byte
		status             int
		code               string
	}{
		{"route", "PUT", "/v1/nothing", "", map[string]string{"Strandline-Version": "9"}, big, 404, "not-found"},
		{"method", "PUT", "/v1/sync", "", map[string]string{"Strandline-Version": "9"}, big, 405, "method"},
		{"version", "POST", "/v1/sync", "", map[string]string{"Strandline-Version": "9", "Content-Type": "text/plain"}, big, 426, "upgrade"},
		{"authorization", "POST", "/v1/sync", "", map[string]string{"Content-Type": "text/plain"}, big, 401, "unauthorized"},
		{"a wrong token", "POST", "/v1/sync", "sesam", map[string]string{"Content-Type": "text/plain"}, big, 401, "unauthorized"},
		{"media type", "POST", "/v1/sync", "sesame", map[string]string{"Content-Type": "text/plain"}, big, 415, "unsupported-media-type"},
		{"encoding", "POST", "/v1/sync", "sesame", map[string]string{"Content-Encoding": "br"}, big, 415, "unsupported-media-type"},
		{"size", "POST", "/v1/sync", "sesame", nil, big, 413, "too-large"},
		{"form", "POST", "/v1/sync", "sesame", nil, []byte(`{"streams":[1]}`), 400, "malformed"},
		{"form of a query", "GET", "/v1/log?stream=a&after=x", "sesame", nil, nil, 400, "malformed"},
	} {
		a.token = c.token
		status, header, body := a.request(c.method, c.path, c.body, c.header)
		var p struct {
			Code, Pointer, Title, Type string
			Status                     int
		}
		if err := json.Unmarshal([]byte(body), &p); err != nil || status != c.status || p.Code != c.code || p.Status != c.status || p.Type == "" || p.Title == "" ||
			header.Get("Content-Type") != "application/problem+json" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %v", c.name, status, body, header)
		}
		if c.code == "upgrade" && header.Get("Strandline-Version") != "1" {
			t.Error("426 does not say what the server speaks")
		}
	}
}

func TestStrictJSON(t *testing.T) {
	a := newAPI(t, nil)
	wrap := func(value string) string {
		return `{"streams":[{"stream":"s","client":"` + clientID(1) + `","after":0,"actions":[` +
			actionOf(1, 1, 0, `[{"op":"create","object":"`+objectID(1)+`","type":"t","fields":{"a":`+value+`}}]`) + `]}]}`
	}
	for name, c := range map[string]struct{ body, pointer string }{
		"no JSON":              {`{"streams":`, "/streams"},
		"an array":             {`[]`, ""},
		"no streams":           {`{}`, "/streams"},
		"another member":       {`{"streams":[],"extra":1}`, "/extra"},
		"a twin":               {`{"streams":[],"streams":[]}`, "/streams"},
		"a twin within":        {wrap(`{"k":1,"k":2}`), "/streams/0/actions/0/ops/0/fields/a/k"},
		"a lone surrogate":     {wrap(`"\ud800"`), "/streams/0/actions/0/ops/0/fields/a"},
		"bad UTF-8":            {wrap("\"\xff\""), "/streams/0/actions/0/ops/0/fields/a"},
		"a huge number":        {wrap("1e999"), "/streams/0/actions/0/ops/0/fields/a"},
		"too deep":             {wrap(strings.Repeat("[", 61) + strings.Repeat("]", 61)), "/streams/0/actions/0/ops/0/fields/a" + strings.Repeat("/0", 60)},
		"an item that is none": {`{"streams":["s"]}`, "/streams/0"},
		"an item without name": {`{"streams":[{"client":"` + clientID(1) + `","after":0}]}`, "/streams/0/stream"},
	} {
		status, _, body := a.request(http.MethodPost, "/v1/sync", []byte(c.body), nil)
		var p struct{ Code, Pointer string }
		json.Unmarshal([]byte(body), &p)
		if status != 400 || p.Code != "malformed" || p.Pointer != c.pointer {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if it := a.sync(wrap(strings.Repeat("[", 60) + strings.Repeat("]", 60)))[0]; len(it.Persisted) != 1 {
		t.Errorf("64 levels: %+v", it)
	}
}

func TestLimits(t *testing.T) {
	a := newAPI(t, nil)
	status := func(body []byte, header map[string]string) int {
		t.Helper()
		status, _, _ := a.request(http.MethodPost, "/v1/sync", body, header)
		return status
	}
	streams := func(n int) []byte {
		return []byte(`{"streams":[` + strings.TrimSuffix(strings.Repeat(`{"stream":"s","client":"`+clientID(1)+`","after":0},`, n), ",") + `]}`)
	}
	if s := status(streams(100), nil); s != 200 {
		t.Errorf("100 streams: %d", s)
	}
	if s := status(streams(101), nil); s != 413 {
		t.Errorf("101 streams: %d", s)
	}
	actions := func(n int) []byte {
		var list []string
		for i := range n {
			list = append(list, actionOf(1, i+1, 0, creates(i)))
		}
		return []byte(`{"streams":[{"stream":"many","client":"` + clientID(1) + `","after":0,"actions":[` + strings.Join(list, ",") + `]}]}`)
	}
	if s := status(actions(1001), nil); s != 413 {
		t.Errorf("1,001 actions: %d", s)
	}
	if s := status(actions(1000), nil); s != 200 {
		t.Errorf("1,000 actions: %d", s)
	}
	padded := func(n int) []byte { b := streams(1); return append(b, bytes.Repeat([]byte(" "), n-len(b))...) }
	if s := status(padded(4<<20), nil); s != 200 {
		t.Errorf("4 MiB: %d", s)
	}
	if s := status(padded(4<<20+1), nil); s != 413 {
		t.Errorf("4 MiB and a byte: %d", s)
	}
	var gz, zs bytes.Buffer
	z := gzip.NewWriter(&gz)
	z.Write(padded(3 << 20)) // packs a thousandfold
	z.Close()
	if s := status(gz.Bytes(), map[string]string{"Content-Encoding": "gzip"}); s != 413 {
		t.Errorf("a gzip bomb: %d", s)
	}
	w, _ := zstd.NewWriter(&zs)
	w.Write(padded(64 << 20))
	w.Close()
	if s := status(zs.Bytes(), map[string]string{"Content-Encoding": "zstd"}); s != 413 {
		t.Errorf("a zstd bomb: %d", s)
	}
	gz.Reset()
	z = gzip.NewWriter(&gz)
	z.Write(streams(3))
	z.Close()
	if s := status(gz.Bytes(), map[string]string{"Content-Encoding": "gzip"}); s != 200 {
		t.Errorf("gzip: %d", s)
	}
	if s := status([]byte("no gzip"), map[string]string{"Content-Encoding": "gzip"}); s != 400 {
		t.Errorf("broken gzip: %d", s)
	}
	limited := newAPI(t, func(c *server.Config) { c.Rate, c.Burst = 0.5, 3 })
	for i := range 4 {
		status, header, body := limited.request(http.MethodPost, "/v1/sync", streams(1), nil)
		if want := map[bool]int{true: 200, false: 429}[i < 3]; status != want || status == 429 && (header.Get("Retry-After") != "2" || !strings.Contains(body, "rate-limited")) {
			t.Errorf("request %d: %d %v", i, status, header)
		}
	}
}

func TestReadingTheLog(t *testing.T) {
	a := newAPI(t, nil)
	for i := range 5 {
		a.turn(1, at(a.turn(1, `"after":0,"limit":1`))) // other readers do not matter
		head := a.get("/v1/log?stream=s")
		a.turn(1, at(head)+`,"actions":[`+actionOf(1, i+1, 0, creates(i))+`]`)
	}
	if it := a.get("/v1/log?stream=s&after=1&limit=2"); len(it.Entries) != 2 || it.Entries[0].Index != 2 || it.Head != 5 {
		t.Fatalf("%+v", it)
	}
	if it := a.get("/v1/log?stream=never"); it.Head != 0 || it.Epoch != "" || len(it.Entries) > 0 {
		t.Fatalf("%+v", it)
	}
	for path, want := range map[string]int{
		"/v1/log": 400, "/v1/log?stream=a%20b": 400, "/v1/log?stream=s&after=-1": 400, "/v1/log?stream=s&limit=0": 400,
		"/v1/log?stream=s&wait=61": 400, "/v1/log?stream=s&after=6": 409, "/v1/log?stream=s&after=5": 200,
	} {
		if status, _, body := a.request(http.MethodGet, path, nil, nil); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	// A long poll hears of the next append; one that hears of none ends in time.
	got := make(chan item, 1)
	go func() { got <- a.get("/v1/log?stream=s&after=5&wait=30") }()
	time.Sleep(100 * time.Millisecond) // mostly it waits by then; where it does not, it reads what has come
	head := a.get("/v1/log?stream=s&after=4")
	a.turn(1, at(head)+`,"actions":[`+actionOf(1, 6, 0, creates(6))+`]`)
	if it := patience.Receive(t, "the long poll to hear of the append", got); len(it.Entries) != 1 || it.Entries[0].Index != 6 {
		t.Fatalf("%+v", it)
	}
	start := time.Now()
	if it := a.get("/v1/log?stream=s&after=6&wait=1"); len(it.Entries) > 0 || time.Since(start) < 900*time.Millisecond {
		t.Fatalf("%+v after %v", it, time.Since(start))
	}
	_, header, _ := a.request(http.MethodGet, "/v1/log?stream=s", nil, map[string]string{"Accept-Encoding": "gzip"})
	if header.Get("Content-Encoding") != "gzip" || !strings.Contains(header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("%v", header)
	}
}

// roles is an authorizer with a principal for each token.
type roles map[string]map[server.Right]bool

func (r roles) Authenticate(req *http.Request) (server.Principal, error) {
	token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	if r[token] == nil {
		return server.Principal{}, &action.Error{Code: action.CodeUnauthorized}
	}
	return server.Principal{Subject: token}, nil
}

func (r roles) Allow(p server.Principal, stream string, right server.Right) bool {
	return stream != "secret" && r[p.Subject][right]
}

func TestRights(t *testing.T) {
	a := newAPI(t, func(c *server.Config) {
		c.Auth = roles{"writer": {server.Read: true, server.Append: true}, "other": {server.Read: true, server.Append: true}, "reader": {server.Read: true}, "nobody": {}}
	})
	a.token = "writer"
	first := a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, creates(1))+`]`)
	for token, code := range map[string]string{"nobody": "forbidden", "reader": "", "writer": ""} {
		a.token = token
		it := a.turn(5, `"after":0`)
		if code == "" && (it.Error != nil || len(it.Entries) != 1 || it.Entries[0].By != "writer") || code != "" && (it.Error == nil || it.Error.Code != code || it.Head != 0 || len(it.Entries) > 0) {
			t.Errorf("%s: %+v", token, it)
		}
	}
	// Who may read and not write still catches up, and then gets a verdict for each action.
	a.token = "reader"
	if it := a.turn(2, `"after":0,"actions":[`+actionOf(2, 1, 0, creates(2))+`]`); it.Error != nil || len(it.Entries) != 1 {
		t.Errorf("%+v", it)
	}
	if it := a.turn(2, at(first)+`,"actions":[`+actionOf(2, 1, 0, creates(2))+`]`); it.Error != nil || len(it.Rejected) != 1 || it.Rejected[0].Code != "forbidden" || it.Head != 1 {
		t.Errorf("%+v", it)
	}
	// A client id belongs to the principal that first used it, on the whole server: another one takes a new id (S24).
	a.token = "other"
	if it := a.turn(1, at(first)+`,"actions":[`+actionOf(1, 2, 0, creates(2))+`]`); it.Error == nil || it.Error.Code != "client" {
		t.Errorf("%+v", it)
	}
	if it := a.sync(`{"streams":[{"stream":"elsewhere","client":"` + clientID(1) + `","after":0,"actions":[` + actionOf(1, 1, 0, creates(2)) + `]}]}`)[0]; it.Error == nil || it.Error.Code != "client" {
		t.Errorf("%+v", it)
	}
	// No and not there are the same answer.
	a.token = "writer"
	for _, path := range []string{"/v1/log?stream=secret", "/v1/log?stream=secret&after=x"} {
		if status, _, body := a.request(http.MethodGet, path, nil, nil); status != 403 || !strings.Contains(body, `"code":"forbidden"`) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

func TestCORS(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.CORS = []string{"https://app.example"} })
	for origin, allowed := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": "", "null": ""} {
		status, header, _ := a.request(http.MethodOptions, "/v1/sync", nil, map[string]string{"Origin": origin, "Access-Control-Request-Method": "POST"})
		if status != 204 || header.Get("Access-Control-Allow-Origin") != allowed || !strings.Contains(header.Get("Vary"), "Origin") || header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", origin, status, header)
		}
	}
}

// failing is an engine whose appends fail: before anything was written, or after all of it was.
type failing struct {
	engine.Engine
	before, after bool
}

func (f *failing) Append(ctx context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	if f.before {
		return errors.New("disk full")
	}
	if err := f.Engine.Append(ctx, stream, epoch, expect, entries); err != nil || !f.after {
		return err
	}
	return errors.New("no answer")
}

// An append whose outcome the engine does not tell is answered as unavailable, and what is true shows at the next turn.
func TestAnEngineThatFails(t *testing.T) {
	f := &failing{Engine: memory.New()}
	a := newAPI(t, func(c *server.Config) { c.Engine = f })
	offer := `"after":0,"actions":[` + actionOf(1, 1, 0, creates(1)) + `]`
	f.before = true
	if it := a.turn(1, offer); it.Error == nil || it.Error.Code != "unavailable" || it.Head != 0 || len(it.Persisted) > 0 || it.Epoch != "" {
		t.Fatalf("%+v", it)
	}
	f.before, f.after = false, true
	if it := a.turn(1, offer); it.Error == nil || it.Error.Code != "unavailable" || len(it.Persisted) > 0 {
		t.Fatalf("%+v", it)
	}
	f.after = false
	if it := a.turn(1, offer); len(it.Entries) != 1 || it.Head != 1 {
		t.Fatalf("%+v", it)
	}
}

// rotten is an engine whose disk has changed a byte.
type rotten struct{ engine.Engine }

func (r rotten) Read(ctx context.Context, stream string, after uint64, limit, maxBytes int) ([]engine.Entry, error) {
	entries, err := r.Engine.Read(ctx, stream, after, limit, maxBytes)
	for i := range entries {
		entries[i].Raw = strings.Replace(entries[i].Raw, `"n":1`, `"n":2`, 1)
	}
	return entries, err
}

func TestAChangedByteIsNotServed(t *testing.T) {
	good := memory.New()
	a := newAPI(t, func(c *server.Config) { c.Engine = good })
	a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, creates(1))+`]`)
	b := newAPI(t, func(c *server.Config) { c.Engine = rotten{good} })
	if status, _, body := b.request(http.MethodGet, "/v1/log?stream=s", nil, nil); status != 500 || !strings.Contains(body, `"code":"internal"`) {
		t.Errorf("%d %s", status, body)
	}
	if it := b.turn(1, `"after":0`); it.Error == nil || len(it.Entries) > 0 {
		t.Errorf("%+v", it)
	}
}

// One small request cannot ask for more than one answer's worth.
func TestAnAnswerIsBounded(t *testing.T) {
	a := newAPI(t, nil)
	head := item{}
	for i := range 12 {
		a.turn(1, at(head)+`,"actions":[`+actionOf(1, i+1, 0, `[{"op":"create","object":"`+objectID(i)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 200<<10)+`"}}]`)+`]`)
		head = a.get("/v1/log?stream=s&after=" + fmt.Sprint(i))
	}
	_, _, body := a.request(http.MethodPost, "/v1/sync", []byte(`{"streams":[`+strings.TrimSuffix(strings.Repeat(`{"stream":"s","client":"`+clientID(1)+`","after":0},`, 100), ",")+`]}`), nil)
	if len(body) > 4<<20+100_000 {
		t.Fatalf("%d bytes", len(body))
	}
	// A stream that found no room is told apart from one that has nothing new.
	var answer struct {
		Streams []struct {
			Head    int
			Chain   *string
			Entries []any
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	for i, s := range answer.Streams {
		if s.Head != 12 || (s.Chain == nil) != (len(s.Entries) == 0) || len(s.Entries) > 0 != (i < 4) {
			t.Errorf("stream %d: %d entries, chain %v", i, len(s.Entries), s.Chain)
		}
	}
}

// bytes bounds what the entries of all streams take together; each has one at least (C10).
func TestAnAnswerOfSoManyBytes(t *testing.T) {
	a := newAPI(t, nil)
	ask := func(bytes string) string {
		return fmt.Sprintf(`{%s"streams":[{"stream":"s","client":"%s","after":0},{"stream":"u","client":"%[2]s","after":0}]}`, bytes, clientID(2))
	}
	for _, stream := range []string{"s", "u"} {
		var all []string
		for i := range 30 {
			all = append(all, actionOf(1, i+1, 0, creates(i)))
		}
		a.sync(`{"streams":[{"stream":"` + stream + `","client":"` + clientID(1) + `","after":0,"actions":[` + strings.Join(all, ",") + `]}]}`)
	}
	size := len(actionOf(1, 1, 0, creates(0)))
	for bytes, want := range map[string][2]int{"": {30, 30}, `"bytes":1,`: {1, 1}, fmt.Sprintf(`"bytes":%d,`, 10*size): {10, 1}, fmt.Sprintf(`"bytes":%d,`, 40*size): {30, 10}} {
		got := a.sync(ask(bytes))
		for i, n := range want {
			if d := len(got[i].Entries) - n; d < -1 || d > 1 {
				t.Errorf("%s: stream %d has %d entries, about %d wanted", bytes, i, len(got[i].Entries), n)
			}
		}
	}
	for bytes, pointer := range map[string]string{`"bytes":0,`: "/bytes", `"bytes":-1,`: "/bytes", `"bytes":"x",`: "/bytes", `"byte":1,`: "/byte"} {
		if status, _, body := a.request(http.MethodPost, "/v1/sync", []byte(ask(bytes)), nil); status != 400 || !strings.Contains(body, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s", bytes, status, body)
		}
	}
}
