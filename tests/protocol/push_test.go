package protocol

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/tests/patience"
)

// events reads server-sent events in the background.
type events struct {
	t      *testing.T
	ch     chan map[string]string
	cancel context.CancelFunc
	header http.Header
}

func (a *api) listen(path string, header map[string]string) *events {
	a.t.Helper()
	return a.listens(http.MethodGet, path, "", header)
}

// listensTo asks for events by a body.
func (a *api) listensTo(body string) *events {
	a.t.Helper()
	return a.listens(http.MethodPost, "/v1/events", body, map[string]string{"Content-Type": "application/json"})
}

func (a *api) listens(method, path, body string, header map[string]string) *events {
	a.t.Helper()
	ctx, cancel := context.WithCancel(a.t.Context())
	req, err := http.NewRequestWithContext(ctx, method, a.url+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") || resp.Header.Get("Cache-Control") != "no-store" {
		a.t.Fatalf("%s: %d %v", path, resp.StatusCode, resp.Header)
	}
	e := &events{t: a.t, ch: make(chan map[string]string, 100), cancel: cancel, header: resp.Header}
	go func() {
		defer resp.Body.Close()
		defer close(e.ch)
		lines := bufio.NewScanner(resp.Body)
		lines.Buffer(nil, 4<<20)
		event := map[string]string{}
		for lines.Scan() {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			if lines.Text() == "" {
				if len(event) > 0 {
					e.ch <- event
				}
				event = map[string]string{}
			} else if !strings.HasPrefix(lines.Text(), ":") {
				event[key] = value
			}
		}
	}()
	a.t.Cleanup(cancel)
	return e
}

// next is the next event, and whether there is one.
func (e *events) next() (map[string]string, bool) {
	e.t.Helper()
	type got struct {
		event map[string]string
		ok    bool
	}
	came := make(chan got, 1)
	go func() {
		event, ok := <-e.ch
		came <- got{event, ok}
	}()
	g := patience.Receive(e.t, "an event, or the end", came)
	return g.event, g.ok
}

func (e *events) want(event, data string) {
	e.t.Helper()
	if got, ok := e.next(); !ok || got["event"] != event || !strings.Contains(got["data"], data) {
		e.t.Fatalf("%v, want %s %s", got, event, data)
	}
}

// add appends n actions, each by a request of its own, after it.
func (a *api) add(client, from, n int, it item) item {
	a.t.Helper()
	for i := range n {
		if it = a.turn(client, at(it)+`,"actions":[`+actionOf(client, from+i, 0, creates(from+i))+`]`); len(it.Persisted) != 1 {
			a.t.Fatalf("%+v", it)
		}
	}
	return it
}

func TestEvents(t *testing.T) {
	a := newAPI(t, nil)
	it := a.add(1, 1, 2, item{})
	e := a.listen("/v1/events?stream=s&stream=other&stream=s", nil)
	e.want("head", `{"head":0,"stream":"other"}`)
	e.want("head", `{"head":2,"stream":"s"}`)
	it = a.add(1, 3, 1, it)
	e.want("head", `{"head":3,"stream":"s"}`)
	a.turn(1, at(it)) // nothing moves
	a.sync(`{"streams":[{"stream":"other","client":"` + clientID(1) + `","after":0,"actions":[` + actionOf(1, 1, 0, creates(1)) + `]}]}`)
	e.want("head", `{"head":1,"stream":"other"}`)
	for path, want := range map[string]int{"/v1/events": 400, "/v1/events?stream=": 400, "/v1/events?stream=a&stream=b%20c": 400,
		"/v1/events?" + strings.Repeat("stream=x&", 3) + manyStreams(5001): 413} {
		if status, _, body := a.request(http.MethodGet, path, nil, nil); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// All that a client has open is pushed: its names go in a body, where no address is too long (F5).
func TestEventsOfManyStreams(t *testing.T) {
	a := newAPI(t, nil)
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf(`"list/%03d"`, i))
	}
	e := a.listensTo(`{"data":["log"],"streams":[` + strings.Join(names, ",") + `]}`)
	for _, name := range names {
		e.want("head", `{"head":0,"stream":`+name+`}`)
	}
	e.want("data", `{"data":"log","offset":""}`)
	a.sync(`{"streams":[{"stream":"list/299","client":"` + clientID(1) + `","after":0,"actions":[` + actionOf(1, 1, 0, creates(1)) + `]}]}`)
	e.want("head", `{"head":1,"stream":"list/299"}`)

	jsonType := map[string]string{"Content-Type": "application/json"}
	for body, want := range map[string]string{
		``: "malformed 400 ", `{}`: "malformed 400 /streams", `{"streams":[]}`: "malformed 400 /streams", `{"streams":["a",1]}`: "malformed 400 /streams/1",
		`{"streams":["a","b c"]}`: "malformed 400 /streams/1", `{"data":[""]}`: "malformed 400 /data/0", `{"streams":["a"],"more":[]}`: "malformed 400 /more",
		`{"streams":["a"` + strings.Repeat(`,"a"`, 5000) + `]}`: "too-large 413 /streams/5000", `{"streams":["a"],"streams":["a"]}`: "malformed 400 /streams",
	} {
		status, _, text := a.request(http.MethodPost, "/v1/events", []byte(body), jsonType)
		var p struct{ Code, Pointer string }
		if err := json.Unmarshal([]byte(text), &p); err != nil || fmt.Sprint(p.Code, " ", status, " ", p.Pointer) != want {
			t.Errorf("%.60s: %d %s, want %s", body, status, text, want)
		}
	}
	if status, _, text := a.request(http.MethodPost, "/v1/events", []byte(`{"streams":["a"]}`), map[string]string{"Content-Type": "text/plain"}); status != http.StatusUnsupportedMediaType {
		t.Errorf("%d %s", status, text)
	}
}

// One connection is for all that a client has open: what it may not read is left out.
func TestEventsLeaveOutWhatIsForbidden(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.Auth = &only{"s"} })
	a.token = "w"
	a.add(1, 1, 2, item{})
	e := a.listen("/v1/events?stream=s&stream=other&data=log", nil)
	e.want("head", `{"head":2,"stream":"s"}`)
	a.request(http.MethodPut, "/v1/data/s", []byte("x"), map[string]string{"Content-Type": "text/plain"})
	e = a.listen("/v1/events?stream=other&data=log&data=s", nil)
	e.want("data", `"data":"s"`)
	for _, path := range []string{"/v1/events?stream=other", "/v1/events?stream=other&data=log"} {
		if status, _, body := a.request(http.MethodGet, path, nil, nil); status != 403 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// only allows one name.
type only struct{ name string }

func (*only) Authenticate(*http.Request) (server.Principal, error) {
	return server.Principal{Subject: "u"}, nil
}

func (o *only) Allow(_ server.Principal, stream string, _ server.Right) bool { return stream == o.name }

func manyStreams(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "stream=%d&", i)
	}
	return b.String()
}

// What waits for news ends with the right to it: at the next move, at the end of the token, and when the server goes.
func TestEventsEndWithTheRight(t *testing.T) {
	auth := &expiring{roles: roles{"w": {server.Read: true, server.Append: true}, "r": {server.Read: true}}}
	a := newAPI(t, func(c *server.Config) { c.Auth = auth })
	a.token = "w"
	it := a.add(1, 1, 1, item{})
	a.token = "r"
	for _, path := range []string{"/v1/events?stream=s", "/v1/log?stream=s&after=1"} {
		auth.shut.Store(false)
		e := a.listen(path, nil)
		if _, ok := e.next(); !ok {
			t.Fatal("it ends at once")
		}
		auth.shut.Store(true)
		a.token = "w"
		it = a.add(1, int(it.Head)+1, 1, it)
		a.token = "r"
		if got, ok := e.next(); ok {
			t.Errorf("%s: told without a right: %v", path, got)
		}
		if status, _, body := a.request(http.MethodGet, path, nil, nil); status != 403 {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	auth.shut.Store(false)
	for life := 300 * time.Millisecond; ; life *= 2 { // until it has time for the first event
		auth.until = time.Now().Add(life)
		e := a.listen("/v1/events?stream=s", nil)
		got, ok := e.next()
		if !ok {
			continue
		}
		if got["event"] != "head" || !strings.Contains(got["data"], `"stream":"s"`) {
			t.Errorf("first comes %v", got)
		}
		if got, ok := e.next(); ok {
			t.Errorf("after the end of the token: %v", got)
		}
		break
	}
}

type expiring struct {
	roles
	shut  atomic.Bool // to the subject r
	until time.Time
}

func (e *expiring) Allow(p server.Principal, stream string, right server.Right) bool {
	return e.roles.Allow(p, stream, right) && !(p.Subject == "r" && e.shut.Load())
}

func (e *expiring) Authenticate(r *http.Request) (server.Principal, error) {
	p, err := e.roles.Authenticate(r)
	p.Until = e.until
	return p, err
}

func TestTheLogAsEvents(t *testing.T) {
	a := newAPI(t, nil)
	it := a.add(1, 1, 3, item{})
	e := a.listen("/v1/log?stream=s&after=1", nil)
	for i := 2; i <= 4; i++ {
		if i == 4 {
			it = a.add(1, 4, 1, it)
		}
		got, _ := e.next()
		var entry struct {
			Index  int
			Action struct{ ID string }
		}
		if err := json.Unmarshal([]byte(got["data"]), &entry); err != nil || got["event"] != "entry" || got["id"] != fmt.Sprint(i) || entry.Index != i || entry.Action.ID != actionID(1, i) {
			t.Fatalf("%v, %v", got, err)
		}
	}
	e = a.listen("/v1/log?stream=s", map[string]string{"Last-Event-ID": "3"})
	if got, _ := e.next(); got["id"] != "4" {
		t.Fatalf("%v", got)
	}
	if status, _, body := a.request(http.MethodGet, "/v1/log?stream=s&after=9", nil, map[string]string{"Accept": "text/event-stream"}); status != 409 {
		t.Errorf("%d %s", status, body)
	}
}

func TestStreams(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.Auth = onlyStream("s") })
	a.token = "x"
	if _, _, body := a.request(http.MethodGet, "/v1/streams", nil, nil); body != `{"streams":[]}` {
		t.Errorf("%s", body)
	}
	a.add(1, 1, 2, item{})
	if err := a.engine.Append(t.Context(), "hidden", [16]byte{1}, 0, []engine.Entry{{Raw: "{}"}}); err != nil {
		t.Fatal(err)
	}
	if status, h, body := a.request(http.MethodGet, "/v1/streams", nil, nil); status != 200 || body != `{"streams":[{"head":2,"stream":"s"}]}` || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", status, h, body)
	}
}

// onlyStream lets everybody do everything with one stream, but delete it.
type onlyStream string

func (onlyStream) Authenticate(*http.Request) (server.Principal, error) {
	return server.Principal{Subject: "x"}, nil
}
func (o onlyStream) Allow(_ server.Principal, stream string, right server.Right) bool {
	return stream == string(o) && right != server.Delete
}

func TestDeletingALog(t *testing.T) {
	a := newAPI(t, nil)
	it := a.add(1, 1, 3, item{})
	e := a.listen("/v1/log?stream=s&after=3", nil)
	if status, _, body := a.request(http.MethodDelete, "/v1/log?stream=s", nil, nil); status != 204 || body != "" {
		t.Fatalf("%d %s", status, body)
	}
	if got := a.turn(1, at(it)); got.Error == nil || got.Error.Code != "deleted" || got.Head != 0 {
		t.Errorf("who followed it: %+v", got)
	}
	if got := a.get("/v1/log?stream=s"); got.Head != 0 || got.Epoch != "" {
		t.Errorf("%+v", got)
	}
	again := a.add(1, 1, 1, item{}) // the same actions are taken again: nothing is left of them
	if again.Epoch == it.Epoch || again.Head != 1 {
		t.Errorf("%+v", again)
	}
	e.cancel()
	for path, want := range map[string]int{"/v1/log": 400, "/v1/log?stream=never": 204} {
		if status, _, body := a.request(http.MethodDelete, path, nil, nil); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	b := newAPI(t, func(c *server.Config) { c.Auth = onlyStream("s") })
	b.add(1, 1, 1, item{})
	if status, _, _ := b.request(http.MethodDelete, "/v1/log?stream=s", nil, nil); status != 403 {
		t.Errorf("without the right: %d", status)
	}
}
