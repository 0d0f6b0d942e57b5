package sim

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop"
	"github.com/strandline-sync/strandline/core/plan"
)

// dataPair is two profiles of a world with data streams.
func dataPair(t *testing.T, seed uint64) (w *world, a, b *tab) {
	w = newWorld(t, seed)
	w.data = &dataWorld{w: w, logs: map[string]int{}}
	w.Latency = latency(10)
	return w, w.open(memstore.New()), w.open(memstore.New())
}

func TestAnEntryIsSentAndHeardOf(t *testing.T) {
	w, a, b := dataPair(t, 1)
	a.data.open("log")
	b.data.open("log")
	w.Run(minute)
	begun := w.Now()
	a.data.queue("log", 7)
	for b.data.row("log").fetched < 7 {
		if w.Run(1); w.Now() > begun+400 {
			t.Fatalf("the other one has %d of 7 after 400 ms", b.data.row("log").fetched)
		}
	}
	w.Run(1000)
	for _, tb := range []*tab{a, b} {
		if st := tb.data.status("log"); st.State != loop.StateLive || st.Pending != 0 || st.LastSynced == 0 {
			t.Errorf("%+v", st)
		}
	}
	turns := a.data.turns
	w.Run(5 * minute)
	if n := a.data.turns - turns; n < 4 || n > 6 {
		t.Errorf("%d turns in five idle minutes", n)
	}
}

// A large entry is sent in parts, each of which is a turn: it keeps nobody waiting for more than one of them.
func TestALargeEntryKeepsNoOtherStreamWaiting(t *testing.T) {
	w, a, _ := dataPair(t, 2)
	for _, name := range []string{"chat", "files"} {
		a.data.open(name)
	}
	w.Run(minute)
	a.data.queue("files", 32*dataBatch)
	w.Run(100)
	a.data.order = nil
	a.data.queue("chat", 1)
	w.Run(3000)
	if i := slices.Index(a.data.order, "chat"); i < 0 || i > 1 {
		t.Errorf("the other one has its turn after %d: %v", i, a.data.order)
	}
	if a.data.most > 1 {
		t.Errorf("%d turns at once", a.data.most)
	}
}

// One fault tells both kinds of streams the same (J14).
func TestAFaultIsTheSameForBothKinds(t *testing.T) {
	for _, c := range []struct {
		code   string
		state  loop.StreamState
		reason string
	}{
		{action.CodeUnreachable, loop.StateWaiting, ""},
		{action.CodeTimeout, loop.StateWaiting, ""},
		{action.CodeUnauthorized, loop.StateHeld, ""},
		{action.CodeForbidden, loop.StateStopped, "forbidden"},
		{action.CodeUnavailable, loop.StateWaiting, ""},
		{action.CodeBadAnswer, loop.StateWaiting, ""},
		{action.CodeUpgrade, loop.StateStopped, "upgrade"},
	} {
		t.Run(c.code, func(t *testing.T) {
			w, a, _ := dataPair(t, 3)
			a.data.open("log")
			w.Run(minute)
			a.net.item = func(string) *action.Error { return action.Fail(c.code, "", "") }
			a.data.fails = func(string) error { return codeError(c.code) }
			a.net.refuse = true
			a.db.Wake("a look")
			w.Run(1000)
			for kind, st := range map[string]loop.Status{"actions": a.Status(), "data": a.data.status("log")} {
				if st.State != c.state || st.Reason != c.reason || action.CodeOf(st.Err) != c.code {
					t.Errorf("%s: %s %q %v", kind, st.State, st.Reason, st.Err)
				}
			}
			a.net.item, a.data.fails, a.net.refuse = nil, nil, false
			w.Run(3 * minute)
			if st := a.data.status("log"); c.reason != "upgrade" && st.State != loop.StateLive {
				t.Errorf("then: %s %v", st.State, st.Err)
			}
		})
	}
}

// Where nothing gets through one request says so, not one of each stream; and all go on at once when it does.
func TestADeadLineIsAskedBySingleRequests(t *testing.T) {
	for _, code := range []string{action.CodeUnreachable, action.CodeUnauthorized} {
		w, a, _ := dataPair(t, 4)
		for i := range 10 {
			a.data.open(fmt.Sprintf("log/%d", i))
		}
		w.Run(minute)
		turns := a.data.turns
		a.data.fails = func(string) error { return codeError(code) }
		a.net.fault = func(int) fate {
			return map[string]fate{action.CodeUnreachable: lostBefore, action.CodeUnauthorized: deny}[code]
		}
		for i := range 10 {
			a.data.queue(fmt.Sprintf("log/%d", i), 1)
		}
		w.Run(5 * minute)
		if n := a.data.turns - turns; n > 25 {
			t.Errorf("%s: %d turns in five minutes", code, n)
		}
		a.data.fails, a.net.fault = nil, nil
		told := errors.New("nobody has said anything")
		a.db.Sync(func(err error) { told = err }) // what was true before does not count
		w.Run(minute)
		if told != nil {
			t.Errorf("%s: sync() says %v", code, told)
		}
		for i := range 10 {
			if name := fmt.Sprintf("log/%d", i); w.data.logs[name] != 1 || a.data.status(name).State != loop.StateLive {
				t.Errorf("%s: %s has %d entries and is %s", code, name, w.data.logs[name], a.data.status(name).State)
			}
		}
	}
}

// A stream that fails alone costs the others nothing, and is asked less and less.
func TestADataStreamThatFailsAloneCostsTheOthersNothing(t *testing.T) {
	w, a, _ := dataPair(t, 5)
	a.data.open("bad")
	a.data.open("good")
	w.Run(minute)
	a.data.fails = func(name string) error {
		if name == "bad" {
			return codeError(action.CodeInternal)
		}
		return nil
	}
	a.data.order = nil
	a.data.queue("bad", 1)
	for range 10 {
		a.data.queue("good", 1)
		n := len(a.net.requests)
		w.Run(30_000)
		if a.data.row("good").queued > 0 || a.data.status("good").State != loop.StateLive || a.Status().State != loop.StateLive {
			t.Fatalf("good: %d queued, %s; actions %s", a.data.row("good").queued, a.data.status("good").State, a.Status().State)
		}
		if len(a.net.requests)-n > 2 {
			t.Errorf("%d requests of the action streams", len(a.net.requests)-n)
		}
	}
	tried := 0
	for _, name := range a.data.order {
		if name == "bad" {
			tried++
		}
	}
	if st := a.data.status("bad"); st.State != loop.StateWaiting || st.NextAt == 0 || tried < 4 || tried > 12 {
		t.Errorf("it is %s, next at %d, and was tried %d times in five minutes", st.State, st.NextAt, tried)
	}
}

// Where nothing of one kind gets through, the other goes on (a blocker may know one path only).
func TestOneKindCostsTheOtherNothing(t *testing.T) {
	w, a, _ := dataPair(t, 10)
	a.data.open("log")
	w.Run(minute)
	a.net.fault = func(int) fate { return lostBefore }
	a.write(create(1, `{}`))
	w.Run(1000)
	a.data.queue("log", 1)
	w.Run(200)
	if w.data.logs["log"] != 1 || a.data.status("log").State != loop.StateLive {
		t.Errorf("%d entries are on the server, %+v", w.data.logs["log"], a.data.status("log"))
	}
	w.Run(minute)
	a.net.fault = nil
	w.Run(10_000)
	a.data.fails = func(string) error { return errUnreachable }
	a.data.queue("log", 1)
	w.Run(minute)
	n, turns := len(a.net.requests), a.data.turns
	a.write(create(2, `{}`))
	w.Run(200)
	if a.Unsent() != 0 || a.Status().State != loop.StateLive {
		t.Errorf("%d actions are unsent, %+v", a.Unsent(), a.Status())
	}
	w.Run(5 * minute)
	if n, turns = len(a.net.requests)-n, a.data.turns-turns; n > 10 || turns > 12 {
		t.Errorf("%d requests and %d turns in five minutes", n, turns)
	}
}

// What cannot be sent keeps nothing from being fetched, and is not tried again for each page.
func TestWhoMayNotWriteMayRead(t *testing.T) {
	w, a, _ := dataPair(t, 6)
	w.data.logs["log"] = 23
	a.data.row("log").queued = 1
	tried := 0
	a.data.sends = func() error {
		tried++
		return codeError(action.CodeForbidden)
	}
	a.data.open("log")
	w.Run(10_000)
	if got := a.data.row("log").fetched; got != 23 || tried != 2 {
		t.Errorf("%d entries are here, and it was tried %d times", got, tried)
	}
	if st := a.data.status("log"); st.State != loop.StateStopped || st.Reason != "forbidden" || st.Pending != 1 {
		t.Errorf("%+v", st)
	}
	a.data.sends = nil
	w.Run(2 * minute)
	if w.data.logs["log"] != 24 || a.data.status("log").State != loop.StateLive {
		t.Errorf("%d on the server, %+v", w.data.logs["log"], a.data.status("log"))
	}
}

// A follower leaves it to the leader; where that one says nothing, it sends by itself.
func TestFollowersOfDataStreams(t *testing.T) {
	w := newWorld(t, 7)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{}}
	local := memstore.New()
	lead, follow := w.open(local), w.open(local)
	w.Run(minute)
	follow.data.open("log")
	w.Run(1000)
	follow.data.queue("log", 4)
	w.Run(1000)
	if w.data.logs["log"] != 4 || follow.data.turns != 0 || lead.data.turns == 0 {
		t.Fatalf("%d sent, in %d turns of the follower and %d of the leader", w.data.logs["log"], follow.data.turns, lead.data.turns)
	}
	if st := follow.data.status("log"); st.State != loop.StateLive || st.Pending != 0 {
		t.Errorf("%+v", st)
	}
	lead.host.Freeze()
	follow.data.queue("log", 2)
	w.Run(15_000)
	if w.data.logs["log"] != 6 {
		t.Errorf("the leader sleeps, and %d of 6 are sent", w.data.logs["log"])
	}
	w.Run(minute)
	follow.data.close("log")
	lead.kill() // and who leads next is there for nothing
	w.Run(minute)
	if n := follow.data.turns; n > 20 {
		t.Errorf("%d turns", n)
	}
}

// What is in the memory of a context nobody else can send: it does so itself, whoever leads.
func TestWhatIsInMemoryIsSentByItsContext(t *testing.T) {
	w := newWorld(t, 11)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{}}
	local := memstore.New()
	lead, follow := w.open(local), w.open(local)
	w.Run(minute)
	follow.db.Step(&plan.OpenData{Name: "log", Own: true})
	lead.data.open("log")
	w.Run(1000)
	turns := lead.data.turns
	follow.data.row("log").queued = 3
	follow.db.Step(&plan.Queued{Name: "log", Pending: 3, Wrote: true, Own: true})
	w.Run(1000)
	if follow.data.turns == 0 || w.data.logs["log"] != 3 {
		t.Errorf("%d turns of its own, %d entries on the server; %d of the leader", follow.data.turns, w.data.logs["log"], lead.data.turns-turns)
	}
}

// Who only reads is not left alone with a leader that hangs.
func TestAFollowerThatReadsPassesALeaderThatHangs(t *testing.T) {
	w := newWorld(t, 12)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{"log": 4}}
	local := memstore.New()
	lead := w.open(local)
	w.Run(minute)
	follow := w.context(local)
	w.locks[local].tabs = append(w.locks[local].tabs, follow)
	lead.host.Freeze()
	follow.data.open("log")
	w.Run(2 * minute)
	if follow.data.row("log").fetched != 4 || follow.steals == 0 {
		t.Errorf("%d fetched, the lead was taken %d times, and it is %s", follow.data.row("log").fetched, follow.steals, follow.data.status("log").State)
	}
}

// sync() in a follower leaves the lead where it is.
func TestSyncInAFollowerTakesNoLead(t *testing.T) {
	w := newWorld(t, 13)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{"log": 4}}
	local := memstore.New()
	w.open(local)
	follow := w.context(local)
	w.locks[local].tabs = append(w.locks[local].tabs, follow)
	follow.data.open("log")
	w.Run(50_000) // the leader says nothing for long
	told := errors.New("nothing was said")
	follow.db.Sync(func(err error) { told = err })
	w.Run(2000)
	if told != nil || follow.steals > 0 {
		t.Errorf("%v, and the lead was taken %d times", told, follow.steals)
	}
}

// sync() ends also where somebody appends all the time.
func TestSyncEndsBesideAStreamThatIsNeverQuiet(t *testing.T) {
	w, a, b := dataPair(t, 14)
	a.data.open("log")
	b.data.open("log")
	w.Run(minute)
	for i := range 3000 {
		w.After(int64(i*10), func() { b.data.queue("log", 1) })
	}
	w.Run(1000)
	var told []error
	a.db.Sync(func(err error) { told = append(told, err) })
	w.Run(5000)
	if len(told) != 1 {
		t.Errorf("told: %v", told)
	}
}

// A request that fails while another one gets through is its stream's alone.
func TestWhatFailsWhileTheWayIsThereIsItsOwn(t *testing.T) {
	w, a, _ := dataPair(t, 15)
	a.data.open("bad")
	a.data.open("good")
	w.Run(minute)
	a.data.sends = func() error {
		if a.data.order[len(a.data.order)-1] == "bad" {
			return errUnreachable
		}
		return nil
	}
	a.data.queue("bad", 1)
	w.Run(20_000)
	a.data.queue("good", 1)
	w.Run(200)
	if w.data.logs["good"] != 1 || a.data.status("good").State != loop.StateLive || a.data.status("bad").State != loop.StateWaiting {
		t.Errorf("%d sent; good is %s, bad is %s", w.data.logs["good"], a.data.status("good").State, a.data.status("bad").State)
	}
}

// What is queued is sent by who leads, also where nobody has the stream open any more.
func TestWhatIsLeftBehindIsSent(t *testing.T) {
	w := newWorld(t, 8)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{"log": 9}}
	local := memstore.New()
	lead := w.open(local)
	w.Run(minute)
	lead.data.row("log").queued = 5
	lead.db.Queued("log", 5, false) // as the script says when it begins to lead
	w.Run(1000)
	if w.data.logs["log"] != 14 || lead.data.row("log").fetched != 0 {
		t.Errorf("%d entries on the server, %d fetched", w.data.logs["log"], lead.data.row("log").fetched)
	}
	turns := lead.data.turns
	w.Run(10 * minute)
	if lead.data.turns != turns {
		t.Error("it has turns still")
	}
}

// sync() waits for data streams as for the others, and says why they failed.
func TestSyncWaitsForDataStreams(t *testing.T) {
	for _, actions := range []bool{true, false} {
		w := newWorld(t, 9)
		w.data = &dataWorld{w: w, logs: map[string]int{"log": 30}}
		w.Latency = latency(10)
		a := w.context(memstore.New())
		if actions {
			a.openStream(stream, w.options)
		}
		a.data.open("log")
		a.data.queue("log", 5)
		var told []error
		a.db.Sync(func(err error) { told = append(told, err) })
		for i := 0; len(told) == 0 && i < 10_000; i++ {
			w.Run(1)
		}
		if len(told) != 1 || told[0] != nil || a.data.row("log").fetched != 35 || a.data.row("log").queued != 0 {
			t.Fatalf("actions %v: told %v with %+v", actions, told, a.data.row("log"))
		}
		a.data.fails = func(string) error { return codeError(action.CodeForbidden) }
		a.data.queue("log", 1)
		a.db.Sync(func(err error) { told = append(told, err) })
		w.Run(5000)
		if len(told) != 2 || action.CodeOf(told[1]) != action.CodeForbidden {
			t.Fatalf("actions %v: told %v", actions, told)
		}
	}
}

// Whatever fails, and whoever leads, closes or dies: all that was queued is sent, all that is open is fetched, one turn at a time.
func TestDataStreamsUnderFaults(t *testing.T) {
	seeds := 400
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		dataHistory(t, uint64(seed))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func dataHistory(t *testing.T, seed uint64) {
	w := newWorld(t, seed)
	w.locks = map[*memstore.Database]*lock{}
	w.data = &dataWorld{w: w, logs: map[string]int{}}
	w.Latency = latency(1 + int64(seed%40))
	rand := w.Rand()
	local, names := memstore.New(), []string{"a", "b", "c"}
	codes := []string{action.CodeUnreachable, action.CodeTimeout, action.CodeUnauthorized, action.CodeForbidden, action.CodeUnavailable, action.CodeInternal, action.CodeTooLarge}
	calm, queued := false, map[string]int{}
	var tabs []*tab
	add := func() {
		tb := w.openAsync(local)
		tb.data.fails = func(string) error {
			if calm || rand.IntN(3) > 0 {
				return nil
			}
			return codeError(codes[rand.IntN(len(codes))])
		}
		tb.data.done = func() bool { return rand.IntN(2) == 0 }
		tb.net.fault = func(int) fate {
			if calm || rand.IntN(3) > 0 {
				return pass
			}
			return fate(rand.IntN(int(fates)))
		}
		tabs = append(tabs, tb)
	}
	add()
	for range 60 {
		i := rand.IntN(len(tabs))
		tb, name := tabs[i], names[rand.IntN(len(names))]
		switch open := tb.data.ids[name] != 0; rand.IntN(10) {
		case 0:
			if len(tabs) < 4 {
				add()
			}
		case 1:
			if len(tabs) > 1 {
				tb.kill()
				tabs = slices.Delete(tabs, i, i+1)
				for _, d := range w.data.tabs { // its locks tell that it has gone
					if !d.tb.dead {
						d.tb.db.Step(&plan.Gone{})
					}
				}
			}
		case 2:
			if open {
				tb.data.close(name)
			}
		case 3:
			tb.host.Freeze()
			w.Run(rand.Int64N(30_000))
			tb.host.Thaw()
		default:
			if !open {
				tb.data.open(name)
			}
			n := 1 + rand.IntN(6)
			tb.data.queue(name, n)
			queued[name] += n
		}
		w.Run(rand.Int64N(8000))
	}
	calm = true
	for name := range queued { // as the script of who leads says
		for _, tb := range tabs {
			tb.db.Queued(name, tb.data.row(name).queued, false)
		}
	}
	w.Run(10 * minute)
	turns := 0
	for _, tb := range tabs {
		turns -= tb.data.turns
		if tb.data.most > 1 {
			t.Errorf("%d turns at once in one context", tb.data.most)
		}
	}
	for name, n := range queued {
		if row := tabs[0].data.row(name); row.queued != 0 || w.data.logs[name] < n {
			t.Errorf("%s: %d of %d on the server, %d queued", name, w.data.logs[name], n, row.queued)
		}
	}
	for _, tb := range tabs {
		for name := range tb.data.ids {
			if row, st := tb.data.row(name), tb.data.status(name); row.fetched != w.data.logs[name] || st.State != loop.StateLive {
				t.Errorf("%s: %d of %d fetched, %s %v", name, row.fetched, w.data.logs[name], st.State, st.Err)
			}
		}
	}
	w.Run(10 * minute)
	for _, tb := range tabs {
		turns += tb.data.turns
	}
	if turns > 70*len(tabs) {
		t.Errorf("%d turns of %d contexts in twenty quiet minutes", turns, len(tabs))
	}
}
