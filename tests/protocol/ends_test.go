package protocol

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
	"github.com/strandline-sync/strandline/tests/patience"
)

// Who may only read is given no turn, and cannot end another's.
func TestReadersHoldUpNobody(t *testing.T) {
	a := newAPI(t, func(c *server.Config) {
		c.Auth = roles{"reader": {server.Read: true}, "writer": {server.Read: true, server.Append: true}}
	})
	a.token = "reader"
	w := *a
	w.token = "writer"
	it := w.add(1, 1, 2, item{})
	for client := range 3 {
		for range 2 {
			if got := a.turn(50+client, `"after":0,"drain":true`); got.Turn != 0 || len(got.Entries) != 2 {
				t.Fatalf("a reader got %+v", got)
			}
		}
	}
	it = w.add(2, 1, 1, it) // client 2 is the writer's
	began := time.Now()     // before the turn is given
	w.turn(2, `"after":0,"drain":true`)
	if got := w.turn(2, `"after":0,"drain":true`); got.Turn == 0 {
		t.Fatalf("%+v", got)
	}
	if got := a.turn(2, `"after":0`); got.Error == nil || got.Error.Code != "client" {
		t.Fatalf("%+v", got)
	}
	w.add(1, 3, 1, it)
	if took := time.Since(began); took < 1900*time.Millisecond {
		t.Fatalf("a reader ended the turn: the append of another took %v", took)
	}
}

// A log that was begun without authentication goes on with it.
func TestASecretComesLater(t *testing.T) {
	engine := memory.New()
	open := newAPI(t, func(c *server.Config) { c.Engine = engine })
	it := open.add(1, 1, 2, item{})
	closed := newAPI(t, func(c *server.Config) { c.Engine = engine; c.Auth = server.Secret("x") })
	closed.token = "x"
	closed.add(1, 3, 1, it)
}

// What follows a log ends when another one takes its place; what waits for its head hears of it.
func TestALogIsReplaced(t *testing.T) {
	a := newAPI(t, nil)
	a.add(1, 1, 3, item{})
	tail, heads := a.listen("/v1/log?stream=s&after=0", nil), a.listen("/v1/events?stream=s", nil)
	for range 3 {
		tail.next()
	}
	heads.want("head", `{"head":3,"stream":"s"}`)
	if status, _, _ := a.request(http.MethodDelete, "/v1/log?stream=s", nil, nil); status != 204 {
		t.Fatal(status)
	}
	heads.want("head", `{"head":0,"stream":"s"}`)
	a.add(2, 1, 4, item{})
	if e, more := tail.next(); more {
		t.Fatalf("it goes on with %v", e)
	}
}

// pausing is an engine whose calls wait when they are told to.
type pausing struct {
	engine.Engine
	mu     sync.Mutex
	at     string
	in, on chan struct{}
	slow   time.Duration
}

// pause makes the next call of a name wait until the function that it gives is called; reached tells that it does.
func (e *pausing) pause(at string) (reached <-chan struct{}, goOn func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.at, e.in, e.on = at, make(chan struct{}), make(chan struct{})
	on := e.on
	return e.in, func() { close(on) }
}

func (e *pausing) here(at string) {
	e.mu.Lock()
	in, on := e.in, e.on
	hit := e.at == at
	if hit {
		e.at = ""
	}
	e.mu.Unlock()
	if hit {
		close(in)
		<-on
	}
}

func (e *pausing) PutCheckpoint(ctx context.Context, stream string, c *engine.Checkpoint, oldest uint64) error {
	err := e.Engine.PutCheckpoint(ctx, stream, c, oldest)
	e.here("put")
	return err
}

func (e *pausing) Read(ctx context.Context, stream string, after uint64, limit, maxBytes int) ([]engine.Entry, error) {
	time.Sleep(e.slow)
	e.here("read")
	return e.Engine.Read(ctx, stream, after, limit, maxBytes)
}

// A log that is deleted while its checkpoint is being stored leaves nothing of it to the next one.
func TestADeletedLogLeavesNoCheckpoint(t *testing.T) {
	e := &pausing{Engine: memory.New()}
	var background sync.WaitGroup
	a := newAPI(t, func(c *server.Config) {
		c.Engine = e
		c.CheckpointBytes, c.Keep = 2000, 5
		c.Background = func(f func()) { background.Go(f) }
	})
	stored, goOn := e.pause("put")
	a.add(1, 1, 15, item{})
	<-stored
	a.request(http.MethodDelete, "/v1/log?stream=s", nil, nil)
	goOn()
	background.Wait()
	a.add(2, 1, 2, item{})
	if got := a.turn(3, `"after":0`); got.Checkpoint != nil {
		t.Fatalf("%+v", got.Checkpoint)
	}
}

// An append that waits for the stream while another client is given a turn waits for that too.
func TestATurnThatSomebodyElseJustGot(t *testing.T) {
	e := &pausing{Engine: memory.New()}
	a := newAPI(t, func(c *server.Config) { c.Engine = e })
	push := func(client, seq int, on item) item {
		rest := `"after":0`
		if on.Head > 0 {
			rest = at(on)
		}
		return a.turn(client, rest+`,"actions":[`+actionOf(client, seq, 0, creates(100*client+seq))+`]`)
	}
	it := push(1, 1, item{})
	push(2, 1, item{})
	reading, goOn := e.pause("read")
	lost, passed := make(chan item), make(chan item)
	go func() { lost <- push(2, 1, item{}) }()
	<-reading
	go func() { passed <- push(1, 2, it) }()
	time.Sleep(50 * time.Millisecond) // until it waits for the stream
	goOn()
	l := <-lost
	if l.Turn == 0 {
		t.Fatalf("%+v", l)
	}
	if got := push(2, 1, l); len(got.Persisted) != 1 {
		t.Fatalf("its turn was used up by another: %+v", got)
	}
	<-passed
}

// until is a token's end.
type until struct{ at *time.Time }

func (u until) Authenticate(*http.Request) (server.Principal, error) {
	return server.Principal{Subject: "x", Until: *u.at}, nil
}
func (u until) Allow(server.Principal, string, server.Right) bool { return true }

// A tail that is still catching up, and a read that waits, end with the token.
func TestWaitingEndsWithTheToken(t *testing.T) {
	var end time.Time
	e := &pausing{Engine: memory.New(), slow: 20 * time.Millisecond}
	a := newAPI(t, func(c *server.Config) { c.Engine = e; c.Auth = until{&end} })
	it := a.add(1, 1, 100, item{})
	n := 0
	for life := 200 * time.Millisecond; n == 0; life *= 2 { // until it has time for an entry
		end = time.Now().Add(life)
		tail := a.listen("/v1/log?stream=s&limit=1", nil)
		for _, more := tail.next(); more; _, more = tail.next() {
			n++
		}
	}
	if n == 100 {
		t.Fatalf("all %d entries came", n)
	}
	end = time.Now().Add(200 * time.Millisecond)
	began := patience.Now()
	status, _, body := a.request(http.MethodGet, fmt.Sprintf("/v1/log?stream=s&after=%d&wait=20", it.Head), nil, nil)
	if took := patience.Now() - began; took > 10*time.Second || status != 200 && status != 401 || strings.Contains(body, "entries") {
		t.Fatalf("after %v: %d %s", took, status, body)
	}
}
