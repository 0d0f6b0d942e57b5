// Package sim runs the real core, loop, codec and server logic in one process on virtual time: clients with
// several tabs, a server, and a network that loses what a test tells it to lose.
package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

const stream = "lists/1"

// world is one server and its clients.
type world struct {
	*virtual.World
	t      *testing.T
	engine *recorder
	server *server.Server
	ids    *virtual.Host

	name    string // of the stream that the next contexts open; empty: stream
	compact int    // see loop.Config
	// See server.Config; start makes a server with them.
	actionBytes int
	answerBytes int // of the entries of one answer; 0: the server's own limit
	turnWork    int // of the actions that one turn takes; the same
	minSchema   int
	alone       bool // databases without a server
	checkpoint  int
	keep        uint64
	options     plan.Options
	change      func(tb *tab, c *virtual.Config) // of what contexts are made of, where not nil
	data        *dataWorld
	refuge      bool                         // contexts go on in memory when their database is taken away
	locks       map[*memstore.Database]*lock // where not nil, contexts of a profile elect a leader and hear one another
}

// lock is a Web Lock of one profile: granted in the order of the requests, held until its holder closes or dies; and
// the contexts that hear one another.
type lock struct {
	holder *tab
	tabs   []*tab
	writer *tab // has the slot to write
	queue  []*slotRequest
}

type slotRequest struct {
	tb   *tab
	slot plan.StreamID
	told bool
}

// slotLimit is how long a context waits for the slot before it writes without it.
const slotLimit = 500

// slot gives contexts that write at once their turns, as a Web Lock does; who waits too long goes without.
func (tb *tab) slot(c plan.SlotChange) {
	l := tb.w.locks[tb.local]
	if !c.Want {
		if l.writer == tb {
			l.writer = nil
			l.grant()
		}
		return
	}
	r := &slotRequest{tb: tb, slot: c.Stream}
	tb.host.After(slotLimit, r.tell)
	l.queue = append(l.queue, r)
	l.grant()
}

func (r *slotRequest) tell() {
	if !r.told {
		r.told = true
		r.tb.db.Step(&plan.Granted{Stream: r.slot})
	}
}

func (l *lock) grant() {
	for len(l.queue) > 0 && (l.writer == nil || l.writer.dead) {
		next := l.queue[0]
		l.queue = l.queue[1:]
		if next.tb.dead || next.told {
			continue
		}
		l.writer = next.tb
		next.tb.host.After(1, next.tell)
	}
}

func (w *world) elect(l *lock) {
	if l.holder != nil && !l.holder.dead {
		return
	}
	for _, tb := range l.tabs {
		if !tb.dead {
			l.holder = tb
			tb.host.After(1, tb.db.Lead)
			return
		}
	}
}

// steal takes the lock from its holder, who hears of that when it runs again.
func (tb *tab) steal() {
	tb.steals++
	l := tb.w.locks[tb.local]
	if old := l.holder; old != nil && old != tb {
		old.host.After(1, old.db.Follow)
	}
	l.holder = tb
	tb.host.After(1, tb.db.Lead)
}

// kill ends a context at once; its lock is free.
func (tb *tab) kill() {
	tb.dead = true
	tb.host.Kill()
	tb.db.Drop()
	if l := tb.w.locks[tb.local]; l != nil {
		tb.w.elect(l)
	}
}

func (tb *tab) tell(message []byte) {
	l := tb.w.locks[tb.local]
	if l == nil {
		return
	}
	for _, other := range l.tabs {
		if other != tb {
			other.host.After(1, func() { other.db.Hear(message) })
		}
	}
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{World: virtual.New(seed), t: t, engine: &recorder{Engine: memory.New(), logs: map[string][]engine.Entry{}, actions: map[string][]*action.Action{}}}
	w.ids = w.Host()
	w.start()
	return w
}

// start runs a server over the engine: the first one, or one after a crash.
func (w *world) start() {
	w.server = server.New(server.Config{
		Engine: w.engine, Auth: rights{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now: func() time.Time { return time.UnixMilli(w.Now()) }, NewID: w.ids.NewID, Rate: 1e9, Burst: 1e9,
		MaxActionBytes: w.actionBytes, MaxAnswerBytes: w.answerBytes, MaxTurnWork: w.turnWork, CheckpointBytes: w.checkpoint, Keep: w.keep, Background: func(f func()) { f() },
		MinSchema: func(string) int { return w.minSchema },
		Hold:      func(time.Duration) error { return &action.Error{Code: action.CodeUnavailable} },
	})
	w.t.Cleanup(w.server.Close)
}

// limit runs a server that takes actions of so many bytes at most.
func (w *world) limit(bytes int) {
	w.actionBytes = bytes
	w.start()
}

// stranger is a principal who may do nothing.
const stranger = "stranger"

type rights struct{ server.Auth }

func (rights) Allow(p server.Principal, _ string, _ server.Right) bool { return p.Subject != stranger }

// network stands between one tab and the server.
type network struct {
	w         *world
	host      *virtual.Host
	requests  []string // bodies, as they were sent
	listening int      // connections for hints
	dialled   int      // that were tried
	refuse    bool     // them
	hangUp    func()   // ends the last one
	about     protocol.Topics
	heard     func(protocol.Hint)
	// fault, where not nil, decides each request's fate.
	fault func(n int) fate
	// subject, where not nil, is who asks.
	subject func() string
	// item, where not nil, gives a stream an error in the place of its answer; the server has done what it was asked.
	item func(stream string) *action.Error
	// proxy, where not nil, answers in the server's stead, for a request's size.
	proxy func(size int) error
	// damage, where not nil, changes a checkpoint on its way.
	damage func(text []byte) []byte
}

type fate int

const (
	pass       fate = iota
	lostBefore      // the server never hears of it
	lostAfter       // the server does it, the answer is lost
	portal          // a captive portal answers in its stead
	half            // half of the answer comes
	deny            // 401
	busy            // 503 with Retry-After
	tooLarge        // 413
	doubled         // the server hears it twice
	late            // the answer is lost, and the server hears it later
	fates
)

var errUnreachable = &action.Error{Code: action.CodeUnreachable, Message: "no route"}

func (n *network) Sync(ctx context.Context, body []byte, _ plan.Idle) ([]byte, int64, error) {
	n.requests = append(n.requests, string(body))
	if n.proxy != nil {
		if err := n.proxy(len(body)); err != nil {
			return nil, 0, err
		}
	}
	f := pass
	if n.fault != nil {
		f = n.fault(len(n.requests))
	}
	who := server.Principal{Subject: "p"}
	if n.subject != nil {
		who.Subject = n.subject()
	}
	switch f {
	case lostBefore:
		return nil, 0, errUnreachable
	case portal:
		return []byte("<html>Please sign in</html>"), 0, nil
	case deny:
		return nil, 0, &action.Error{Code: action.CodeUnauthorized}
	case busy:
		return nil, 17_000, &action.Error{Code: action.CodeUnavailable}
	case late:
		n.w.After(n.w.Rand().Int64N(10_000), func() { _, _ = n.w.server.Sync(ctx, who, string(body)) })
		return nil, 0, errUnreachable
	case doubled:
		if _, err := n.w.server.Sync(ctx, who, string(body)); err != nil {
			n.w.t.Errorf("the server refuses a request of the core: %v\n%s", err, body)
		}
	case tooLarge:
		if strings.Count(string(body), `"op":`) > 10 {
			return nil, 0, &action.Error{Code: action.CodeTooLarge}
		}
	}
	answer, err := n.w.server.Sync(ctx, who, string(body))
	if err != nil {
		n.w.t.Errorf("the server refuses a request of the core: %v\n%s", err, body)
		return nil, 0, err
	}
	switch f {
	case lostAfter:
		return nil, 0, errUnreachable
	case half:
		return answer[:len(answer)/2], 0, nil
	}
	if n.item != nil {
		answer = n.items(answer)
	}
	return answer, 0, nil
}

// items puts errors in the place of what some streams are answered.
func (n *network) items(answer []byte) []byte {
	var a struct {
		Streams []json.RawMessage `json:"streams"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		n.w.t.Fatal(err)
	}
	for i, raw := range a.Streams {
		var it struct {
			Stream string `json:"stream"`
		}
		if err := json.Unmarshal(raw, &it); err != nil {
			n.w.t.Fatal(err)
		}
		if e := n.item(it.Stream); e != nil {
			a.Streams[i], _ = json.Marshal(map[string]any{"stream": it.Stream, "error": map[string]string{"code": e.Code, "message": e.Message}})
		}
	}
	answer, _ = json.Marshal(a)
	return answer
}

func (n *network) Checkpoint(ctx context.Context, stream string, offer *protocol.CheckpointOffer, _ plan.Idle) ([]byte, error) {
	f := pass
	if n.fault != nil {
		f = n.fault(len(n.requests))
	}
	switch f {
	case lostBefore, lostAfter:
		return nil, errUnreachable
	case portal:
		return nil, &action.Error{Code: action.CodeBadAnswer}
	case deny:
		return nil, &action.Error{Code: action.CodeUnauthorized}
	case busy:
		return nil, &action.Error{Code: action.CodeUnavailable}
	}
	text, err := n.w.server.Checkpoint(ctx, server.Principal{Subject: "p"}, stream, offer.Epoch, offer.Index)
	if f == half {
		text = text[:len(text)/2]
	}
	if n.damage != nil && err == nil {
		text = n.damage(text)
	}
	if sum := sha256.Sum256(text); err == nil && hex.EncodeToString(sum[:]) != offer.SHA256 {
		return nil, &action.Error{Code: action.CodeBadAnswer}
	}
	return text, err
}

// Listen passes on what the server announces, after the latency of the world; hints are lost as requests are.
func (n *network) Listen(about protocol.Topics, heard func(protocol.Hint), ended func(err error)) (stop func()) {
	n.about = about
	n.dialled++
	if n.refuse {
		n.host.After(1, func() { ended(errUnreachable) })
		return func() {}
	}
	n.listening++
	stop = n.w.engine.watch(func(stream string, head uint64) {
		f := pass
		if n.fault != nil {
			f = n.fault(len(n.requests))
		}
		if slices.Contains(about.Streams, stream) && f == pass && n.host != nil {
			n.host.Do(func() func() { return func() { heard(protocol.Hint{Stream: stream, Head: head}) } })
		}
	}, func() { n.listening-- })
	n.heard = heard
	n.hangUp = func() {
		stop()
		n.host.After(1, func() { ended(errUnreachable) })
	}
	return stop
}

// tab is one context of a client's profile.
type tab struct {
	*virtual.Stream
	w    *world
	host *virtual.Host
	net  *network
	db   *virtual.Database

	local     *memstore.Database
	resets    []plan.Reset
	lost      []int    // what was unsent when the database was taken away
	data      *dataTab // its data streams
	steals    int      // of the lead
	dead      bool
	committed uint64
	failed    map[uint64]error
	resolved  map[uint64]uint64 // ticket → index
	discarded map[uint64]error
	refused   map[uint64]replica.Rejected
	closed    error
	status    func(s plan.StreamID) // hears of what may be another
	hear      func(n plan.Notice)   // all that is told
}

// open opens the stream in a new context over a local database.
func (w *world) open(local *memstore.Database) *tab {
	w.t.Helper()
	tb := w.openAsync(local)
	w.Run(50)
	if tb.Stream == nil {
		w.t.Fatal("the stream did not open")
	}
	return tb
}

func (w *world) openAsync(local *memstore.Database) *tab {
	tb := w.context(local)
	if w.locks != nil {
		if w.locks[local] == nil {
			w.locks[local] = &lock{}
		}
		w.locks[local].tabs = append(w.locks[local].tabs, tb)
		w.elect(w.locks[local])
	}
	name := stream
	if w.name != "" {
		name = w.name
	}
	tb.openStream(name, w.options)
	return tb
}

// context makes one over a local database; change changes what it is made of.
func (w *world) context(local *memstore.Database, change ...func(tb *tab, c *virtual.Config)) *tab {
	tb := &tab{w: w, host: w.Host(), failed: map[uint64]error{}, resolved: map[uint64]uint64{}, discarded: map[uint64]error{}, refused: map[uint64]replica.Rejected{}}
	tb.net, tb.local = &network{w: w, host: tb.host}, local
	c := virtual.Config{Store: local.Open(), Transport: tb.net, Told: tb.told}
	c.Compact = w.compact
	if w.alone {
		c.Transport = nil
	}
	if w.data != nil {
		tb.data = w.data.tab(tb)
		c.Work = tb.data.work
	}
	if w.locks != nil {
		c.Elect, c.Tell, c.Slot, c.Steal = true, tb.tell, tb.slot, tb.steal
	}
	if w.refuge {
		c.Refuge = func() locallog.Store { return memstore.New().Open() }
	}
	if w.change != nil {
		w.change(tb, &c)
	}
	for _, f := range change {
		f(tb, &c)
	}
	tb.db = tb.host.Open(c)
	return tb
}

func (tb *tab) openStream(name string, o plan.Options) {
	tb.db.Open(name, o, func(s *virtual.Stream, err error) {
		if err != nil {
			tb.closed = err
			return
		}
		tb.Stream = s
	})
}

// told takes note of what the app is told of the tab's own stream.
func (tb *tab) told(n plan.Notice) {
	if tb.hear != nil {
		tb.hear(n)
	}
	switch n := n.(type) {
	case *plan.Lost:
		tb.lost = append(tb.lost, n.Unsent)
	case *plan.Reset:
		if tb.is(n.Stream) {
			tb.resets = append(tb.resets, *n)
		}
	case *plan.Committed:
		if tb.is(n.Stream) {
			tb.committed = n.UpTo
		}
	case *plan.Failed:
		for _, t := range n.Tickets {
			if tb.is(n.Stream) {
				tb.failed[t] = n.Err
			}
		}
	case *plan.Resolved:
		if n.Ticket == 0 || !tb.is(n.Stream) {
			return
		}
		if _, twice := tb.resolved[n.Ticket]; twice {
			tb.w.t.Errorf("ticket %d is resolved twice", n.Ticket)
		}
		tb.resolved[n.Ticket] = n.Index
		if n.Err != nil {
			tb.discarded[n.Ticket] = n.Err
		}
	case *plan.Refused:
		if tb.is(n.Stream) {
			tb.refused[n.Ticket] = n.Rejected
		}
	case *plan.StatusChanged:
		if tb.status != nil {
			tb.status(n.Stream)
		}
	case *plan.Closed:
		if !tb.is(n.Stream) {
			return
		}
		if tb.closed = n.Err; n.Err == nil {
			tb.closed = errByItself
		}
	}
}

func (tb *tab) is(s plan.StreamID) bool { return tb.Stream != nil && tb.ID == s }

var errByItself = errors.New("closed by itself")

// write makes one action of these ops and pumps, as a host does at the end of a task.
func (tb *tab) write(ops string) uint64 {
	tb.w.t.Helper()
	ticket, err := tb.try(ops)
	if err != nil {
		tb.w.t.Fatalf("%s: %v", ops, err)
	}
	return ticket
}

func (tb *tab) try(ops string) (uint64, error) {
	ticket, err := tb.Write(&queue.Draft{ID: tb.host.NewID(), At: tb.w.Now(), Ops: ops})
	tb.Pump()
	return ticket, err
}

func object(n int) string { return fmt.Sprintf("0b1ec700-0000-4000-8000-%012d", n) }

func create(n int, fields string) string {
	return fmt.Sprintf(`[{"op":"create","object":"%s","type":"todo","fields":%s}]`, object(n), fields)
}

func set(n int, fields string) string {
	return fmt.Sprintf(`[{"op":"update","object":"%s","set":%s}]`, object(n), fields)
}

func remove(n int) string { return fmt.Sprintf(`[{"op":"remove","object":"%s"}]`, object(n)) }

// rows is the visible state as text.
func (tb *tab) rows() string {
	var lines []string
	for o := range tb.State().Objects() {
		lines = append(lines, string(tb.State().AppendRow(nil, o.ID()))+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// fold is the server's log, folded from nothing.
func (w *world) fold() *state.State {
	w.t.Helper()
	entries := w.engine.logs[stream]
	s := state.NewState()
	log, _ := w.engine.Log(context.Background(), stream)
	s.Epoch = log.Epoch
	for _, e := range entries {
		a, err := action.DecodeAction(e.Raw)
		if err != nil {
			w.t.Fatal(err)
		}
		s.ApplyEntry(a, nil, nil)
	}
	return s
}

// converged fails unless every tab has nothing pending and holds, byte for byte, what the log folds to.
func (w *world) converged(tabs ...*tab) {
	w.t.Helper()
	want := string(w.fold().AppendCheckpoint(nil, stream))
	for i, tb := range tabs {
		if n := tb.Status().Pending; n > 0 {
			w.t.Errorf("tab %d has %d pending: %+v", i, n, tb.Status())
		}
		if got := string(tb.State().AppendCheckpoint(nil, stream)); got != want {
			w.t.Errorf("tab %d differs from the log: %+v; the last turns %+v\n%s", i, tb.Status(), tb.db.Trace()[max(0, len(tb.db.Trace())-3):], difference(got, want))
		}
	}
}

// difference is the first lines that two texts do not share.
func difference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range a {
		if i == len(b) {
			return fmt.Sprintf("line %d:\n got %s\nwant nothing", i, a[i])
		}
		if a[i] != b[i] {
			return fmt.Sprintf("line %d:\n got %s\nwant %s", i, a[i], b[i])
		}
	}
	return "want more: " + strings.Join(b[len(a):], "\n")
}
