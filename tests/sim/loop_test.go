package sim

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
)

const minute = 60_000

func TestWritesOfTwoClientsConverge(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	a.write(create(1, `{"title":"a"}`))
	b.write(create(2, `{"title":"b"}`))
	w.Run(2 * minute)
	w.converged(a, b)
	if !strings.Contains(a.rows(), `"b"`) || a.State().Len() != 2 {
		t.Fatal(a.rows())
	}
	if a.resolved[1] == 0 || b.resolved[1] == 0 {
		t.Fatal("a promise of persistence is open", a.resolved, b.resolved)
	}
}

func TestOfflineWritesConvergeAsTheSeedSays(t *testing.T) {
	for _, c := range []struct{ name, first, second, want string }{
		{"update/update on one key: the last in the log wins", set(1, `{"title":"first"}`), set(1, `{"title":"second"}`), `"title":"second"`},
		{"update/update on two keys: both stand", set(1, `{"title":"first"}`), set(1, `{"done":true}`), `"done":true,"title":"first"`},
		{"remove/update: as if in the reverse order", remove(1), set(1, `{"title":"second"}`), ""},
		{"update/remove", set(1, `{"title":"first"}`), remove(1), ""},
		{"remove/remove: one remove", remove(1), remove(1), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 2)
			a, b := w.open(memstore.New()), w.open(memstore.New())
			a.write(create(1, `{"title":"new"}`))
			w.Run(2 * minute)
			w.converged(a, b)
			cut := func(int) fate { return lostBefore }
			a.net.fault, b.net.fault = cut, cut
			a.write(c.first)
			b.write(c.second)
			w.Run(minute)
			a.net.fault = nil
			a.db.Wake("online") // a is first
			w.Run(1000)
			b.net.fault = nil
			w.Run(2 * minute)
			w.converged(a, b)
			if got := a.rows(); c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Fatalf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestALostAnswerCostsNothing(t *testing.T) {
	for _, f := range []fate{lostBefore, lostAfter, portal, half, deny, busy} {
		t.Run(fmt.Sprint(f), func(t *testing.T) {
			w := newWorld(t, 3)
			a := w.open(memstore.New())
			a.net.fault = func(n int) fate {
				if n < 8 {
					return f
				}
				return pass
			}
			a.write(create(1, `{"votes":0}`))
			a.write(`[{"op":"update","object":"` + object(1) + `","inc":{"votes":1}}]`)
			w.Run(5 * minute)
			w.converged(a)
			if got := a.rows(); !strings.Contains(got, `"votes":1`) {
				t.Fatal(got)
			}
			if h := a.State().Head; h != 2 {
				t.Fatalf("the log has %d entries", h)
			}
		})
	}
}

func TestNothingElseIsOfferedWhileAnOutcomeIsUnknown(t *testing.T) {
	w := newWorld(t, 4)
	a := w.open(memstore.New())
	a.net.fault = func(n int) fate {
		if n < 4 {
			return lostBefore
		}
		return pass
	}
	a.write(create(1, `{}`))
	w.Run(1000)
	a.write(create(2, `{}`))
	w.Run(minute)
	w.converged(a)
	for i, body := range a.net.requests {
		if strings.Contains(body, object(2)) && i < 4 {
			t.Fatalf("request %d offers what was written after the outcome became unknown: %s", i, body)
		}
	}
}

// The seed's pauses, to the millisecond: 5 s after a failure (±10 %), 60 s when nothing happened, none after activity.
func TestPauses(t *testing.T) {
	w := newWorld(t, 5)
	a := w.open(memstore.New())
	at := func(ms int64) int { w.Run(ms); return len(a.net.requests) }
	base := len(a.net.requests)
	if n := at(59_000) - base; n != 0 {
		t.Fatalf("%d requests in an idle minute", n)
	}
	if n := at(2_000) - base; n != 1 {
		t.Fatalf("%d requests after an idle minute", n)
	}
	base = len(a.net.requests)
	a.write(create(1, `{}`)) // cuts the 60 s: one request persists, the next finds nothing
	if n := at(10) - base; n != 2 {
		t.Fatalf("%d requests after a write", n)
	}
	a.net.fault = func(int) fate { return lostBefore }
	a.write(create(2, `{}`))
	w.Run(10)
	base = len(a.net.requests)
	a.write(create(3, `{}`)) // does not cut the 5 s
	if n := at(4_400) - base; n != 0 {
		t.Fatalf("%d requests within 4.4 s of a failure", n)
	}
	if n := at(1_200) - base; n != 1 {
		t.Fatalf("%d requests 5.6 s after a failure", n)
	}
	base = len(a.net.requests)
	a.db.Wake("online") // cuts any pause
	if n := at(10) - base; n != 1 {
		t.Fatalf("%d requests after a wake-up", n)
	}
	a.net.fault = func(int) fate { return busy }
	w.Run(6_000)
	base = len(a.net.requests)
	if n := at(10_000) - base; n != 0 {
		t.Fatalf("%d requests while the server asked to wait 17 s", n)
	}
	st := a.Status()
	if st.State != loop.StateWaiting || st.NextAt <= w.Now() || st.Because == "" || st.Err == nil {
		t.Fatalf("%+v", st)
	}
}

// A write that is made while a turn is under way is offered right after it.
func TestAWriteDuringATurnIsNotForgotten(t *testing.T) {
	w := newWorld(t, 14)
	a := w.open(memstore.New())
	w.Run(minute / 2)
	w.Latency = latency(100)
	a.db.Wake("test")
	w.Run(20)
	a.write(create(1, `{}`))
	w.Run(2_000)
	if a.resolved[1] != 1 {
		t.Fatalf("%+v", a.Status())
	}
}

func TestStatusTellsTheTruth(t *testing.T) {
	w := newWorld(t, 6)
	a := w.open(memstore.New())
	if st := a.Status(); st.State != loop.StateLive || st.LastSynced == 0 {
		t.Fatalf("%+v", st)
	}
	a.db.Offline()
	if st := a.Status(); st.State != loop.StateOffline {
		t.Fatalf("%+v", st)
	}
	a.net.fault = func(int) fate { return deny }
	a.write(create(1, `{}`))
	a.db.Wake("test")
	w.Run(10)
	if st := a.Status(); st.State != loop.StateHeld || st.Pending != 1 {
		t.Fatalf("%+v", st)
	}
	a.net.fault = nil
	w.Run(minute)
	if st := a.Status(); st.State != loop.StateLive || st.Pending != 0 {
		t.Fatalf("%+v", st)
	}
}

func TestTwoTabsShareOneLocalLog(t *testing.T) {
	w := newWorld(t, 7)
	profile := memstore.New()
	a, b := w.open(profile), w.open(profile)
	if a.Client() != b.Client() {
		t.Fatal("two clients in one profile")
	}
	for i := range 20 {
		a.write(create(100+i, `{}`))
		b.write(create(200+i, `{}`))
		w.Run(int64(w.Rand().IntN(20)))
	}
	w.Run(5 * minute)
	w.converged(a, b)
	if n := a.State().Len(); n != 40 {
		t.Fatalf("%d objects", n)
	}
	if len(a.resolved) != 20 || len(b.resolved) != 20 {
		t.Fatalf("promises: %d and %d of 20", len(a.resolved), len(b.resolved))
	}
	again := w.open(profile)
	w.Run(2 * minute)
	w.converged(a, b, again)
}

func TestACrashLosesNothingThatWasCommitted(t *testing.T) {
	for kill := range 60 {
		w := newWorld(t, uint64(kill))
		profile := memstore.New()
		a := w.open(profile)
		var promised int
		for i := range 12 {
			a.write(create(i, `{}`))
			w.Run(1)
			promised = int(a.committed)
			if kill%13 == i {
				break
			}
		}
		for range kill % 7 { // some way into a turn
			w.Step(1 << 60)
		}
		promised = max(promised, int(a.committed))
		a.host.Kill()
		b := w.open(profile)
		if got := b.State().Len(); got < promised {
			t.Fatalf("kill %d: %d writes were promised, %d are there", kill, promised, got)
		}
		w.Run(2 * minute)
		w.converged(b)
	}
}

func TestAFullDiskTakesTheWriteBack(t *testing.T) {
	w := newWorld(t, 8)
	profile := memstore.New()
	a := w.open(profile)
	a.write(create(1, `{"title":"kept"}`))
	w.Run(100)
	full := true
	profile.Fail = func(op, _ string, _ locallog.LSN) error {
		if full && op == "append" {
			return &action.Error{Code: action.CodeQuota}
		}
		return nil
	}
	ticket := a.write(set(1, `{"title":"lost"}`))
	if !strings.Contains(a.rows(), "lost") {
		t.Fatal("a write is not seen at once")
	}
	w.Run(100)
	if action.CodeOf(a.failed[ticket]) != action.CodeQuota || !strings.Contains(a.rows(), "kept") {
		t.Fatalf("%v, %s", a.failed, a.rows())
	}
	full = false
	a.write(set(1, `{"title":"small"}`))
	w.Run(2 * minute)
	w.converged(a)
	if !strings.Contains(a.rows(), "small") {
		t.Fatal(a.rows())
	}
}

// An error that says nothing of the outcome is settled by reading: never told as lost when it was kept, nor the reverse.
func TestUnknownOutcomesOfTheStoreAreSettled(t *testing.T) {
	for _, when := range []string{"append", "appended", "load"} {
		for nth := range 12 {
			w := newWorld(t, uint64(nth))
			profile := memstore.New()
			n := 0
			profile.Fail = func(op, _ string, _ locallog.LSN) error {
				if op == when {
					if n++; n == nth+1 {
						return errors.New("the connection is closing")
					}
				}
				return nil
			}
			a := w.openAsync(profile)
			w.Run(50)
			if a.Stream == nil {
				if a.closed == nil {
					t.Fatalf("%s %d: neither opened nor failed", when, nth)
				}
				a = w.open(profile) // a failed first read is an error, never an empty database
			}
			for i := range 4 {
				a.write(create(i, `{}`))
				w.Run(3)
			}
			w.Run(5 * minute)
			w.converged(a)
			if a.State().Len() != 4 || a.committed != 4 || len(a.failed) > 0 || len(a.resolved) != 4 {
				t.Fatalf("%s %d: %d objects, committed %d, failed %v, resolved %v", when, nth, a.State().Len(), a.committed, a.failed, a.resolved)
			}
		}
	}
}

func TestALargeQueueGoesOutInBatches(t *testing.T) {
	w := newWorld(t, 9)
	a := w.open(memstore.New())
	a.net.fault = func(int) fate { return tooLarge } // above ten actions
	for i := range 300 {
		if _, err := a.Write(&queue.Draft{ID: a.host.NewID(), Ops: create(i, `{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	a.Pump()
	settled := false
	a.OnSettled(func() { settled = true })
	w.Run(20 * minute)
	w.converged(a)
	if !settled {
		t.Fatal("settled was not told")
	}
	b := w.open(memstore.New())
	w.Run(minute)
	w.converged(a, b)
}

func TestADestroyedLogClosesTheStream(t *testing.T) {
	w := newWorld(t, 10)
	profile := memstore.New()
	a, b := w.open(profile), w.open(profile)
	a.net.fault = func(int) fate { return lostBefore }
	a.write(create(1, `{}`))
	w.Run(10)
	a.db.Destroy(false, func(unsent int, err error) {
		if unsent != 1 || action.CodeOf(err) != action.CodeUnsent {
			t.Errorf("%d, %v", unsent, err)
		}
	})
	w.Run(10)
	if a.State().Len() != 1 {
		t.Fatal("a refused destroy changed something")
	}
	a.db.Destroy(true, func(_ int, err error) {
		if err != nil {
			t.Error(err)
		}
	})
	w.Run(10)
	ticket, err := b.try(create(2, `{}`))
	w.Run(10)
	if err != nil || action.CodeOf(b.failed[ticket]) != action.CodeClosed || action.CodeOf(b.closed) != action.CodeClosed {
		t.Fatalf("%v, %v, %v", err, b.failed, b.closed)
	}
	if _, err := b.try(create(3, `{}`)); action.CodeOf(err) != action.CodeClosed {
		t.Fatalf("a write to a closed stream: %v", err)
	}
}

func TestBadWritesChangeNothing(t *testing.T) {
	w := newWorld(t, 11)
	a := w.open(memstore.New())
	a.write(create(1, `{"n":1,"s":"x"}`))
	w.Run(2 * minute)
	before := a.rows()
	upd := func(part string) string { return `[{"op":"update","object":"` + object(1) + `",` + part + `}]` }
	for _, c := range []struct{ ops, code, path string }{
		{create(1, `{}`), action.CodeExists, "/id"},
		{set(9, `{"a":1}`), action.CodeNotFound, "/id"},
		{remove(9), action.CodeNotFound, "/id"},
		{create(2, `{"id":1}`), action.CodeMalformed, "/ops/0/fields/id"},
		{create(2, `{"type":1}`), action.CodeMalformed, "/ops/0/fields/type"},
		{create(2, `{"":1}`), action.CodeMalformed, "/ops/0/fields/"},
		{create(2, `{"a":"\ud800"}`), action.CodeMalformed, "/ops/0/fields/a"},
		{create(2, `{"a":1e999}`), action.CodeMalformed, "/ops/0/fields/a"},
		{create(2, `{"a":1,"a":2}`), action.CodeMalformed, "/ops/0/fields/a"},
		{upd(`"inc":{"s":1}`), action.CodeInvalid, "/s"},
		{upd(`"union":{"n":[1]}`), action.CodeInvalid, "/n"},
		{upd(`"set":{"a":1},"unset":["a"]`), action.CodeMalformed, "/ops/0/a"},
		{`[{"op":"unlock","object":"` + object(1) + `"}]`, action.CodeInvalid, "/ops/0"},
		{`[{"op":"frobnicate","object":"` + object(1) + `"}]`, action.CodeUpgrade, "/ops/0/op"},
		{`[]`, action.CodeMalformed, "/ops"},
		{create(2, `{"a":"`+strings.Repeat("x", 300<<10)+`"}`), action.CodeTooLarge, ""},
	} {
		_, err := a.try(c.ops)
		var e *action.Error
		if !errors.As(err, &e) || e.Code != c.code || e.Path != c.path {
			t.Errorf("%.80s: %v", c.ops, err)
		}
	}
	w.Run(minute)
	if a.rows() != before || a.Status().Pending > 0 {
		t.Fatal(a.rows())
	}
}

// A refused action leaves with what depends on it; the queue goes on.
func TestARefusedActionTakesItsDependantsAlong(t *testing.T) {
	w := newWorld(t, 12)
	w.limit(400)
	a := w.open(memstore.New())
	refused := a.write(create(1, `{"a":"`+strings.Repeat("x", 400)+`"}`))
	depends := a.write(set(1, `{"b":1}`))
	stands := a.write(create(2, `{}`))
	w.Run(5 * minute)
	w.converged(a)
	if a.refused[refused].Code != action.CodeTooLarge || a.refused[depends].Code != action.CodeDepends || a.resolved[stands] != 1 {
		t.Fatalf("refused %+v, resolved %v", a.refused, a.resolved)
	}
	if a.refused[depends].Because != a.refused[refused].ID {
		t.Fatal("a dependant does not name its cause")
	}
	if st := a.Status(); st.Rejected != 2 || a.State().Len() != 1 {
		t.Fatalf("%+v", st)
	}
}

// While the server has more than has come, a stream is not live.
func TestAStreamThatIsBehindIsNotLive(t *testing.T) {
	w := newWorld(t, 15)
	a := w.open(memstore.New())
	w.Latency = latency(20)
	const all = 2*protocol.MaxEntries - 100 // too few for a checkpoint
	for i := range all {
		a.write(create(i+1, `{}`))
	}
	w.Run(minute)
	if st := a.Status(); st.State != loop.StateLive || st.Head != all {
		t.Fatalf("%+v", st)
	}
	b := w.openAsync(memstore.New())
	between := 0
	for range 10_000 {
		if w.Run(5); b.Stream == nil {
			continue
		}
		st := b.Status()
		if st.Head > 0 && st.Head < all {
			if between++; st.State != loop.StateSyncing {
				t.Fatalf("%+v", st)
			}
		}
		if st.Head == all {
			break
		}
	}
	w.Run(100)
	if st := b.Status(); between == 0 || st.State != loop.StateLive || st.Head != all {
		t.Fatalf("%+v, %d looks before the end", st, between)
	}
}
