package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"hash"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/loop/virtual"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/state"
)

var (
	firstSeed = flag.Uint64("seed", 0, "the seed of the first history")
	histories = flag.Uint64("histories", 120, "how many histories to run, with seeds from there on")
)

// TestHistories runs histories, each a function of its seed, and holds them to the properties that docs/SIMULATION.md lists. A
// failing one names its seed: make sim SEED=… N=1 runs it again.
func TestHistories(t *testing.T) {
	begun := time.Now()
	var next, actions atomic.Uint64
	var failed atomic.Bool
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for !failed.Load() {
				n := next.Add(1) - 1
				if n >= *histories {
					return
				}
				seed := *firstSeed + n
				if !t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { actions.Add(uint64(runSeed(t, seed))) }) {
					failed.Store(true)
					t.Errorf("seed %d: run it again with make sim SEED=%d N=1", seed, seed)
				}
			}
		})
	}
	workers.Wait()
	minutes := time.Since(begun).Minutes()
	reached.report(t, *histories >= 100 && !failed.Load())
	t.Logf("%d histories, %d actions, %.0f histories a minute", *histories, actions.Load(), float64(*histories)/minutes)
}

// runSeed runs the history of a seed, some of them twice, and gives the number of its actions.
func runSeed(t *testing.T, seed uint64) int {
	h := newHistory(t, seed)
	h.run()
	if seed%20 == 0 {
		again := newHistory(t, seed)
		if again.run(); again.digest() != h.digest() {
			t.Error("the same seed gives another history")
		}
	}
	return len(h.promises)
}

// history is a world with profiles of several tabs, and all that happens to it.
type history struct {
	*world
	r        *rand.Rand
	chaos    bool
	profiles []*profile
	all      []*tab
	promises map[action.UUID]*promise
	repeats  map[repeat][]action.UUID
	dealt    map[action.UUID]bool // what was refused and then discarded, or tried again
	trace    hash.Hash
	steps    int
	restores bool // the server is restored, and its log deleted
	backups  []*backup
	resets   map[*memstore.Database]map[uint64]own.Reset // of each profile, that somebody has seen
	copies   bool                                        // profiles are copied, with all that they hold
	evicts   bool                                        // databases are taken away under their tabs
	lends    bool                                        // profiles take over what others have not sent
	odd      map[*memstore.Database]bool                 // those that this has befallen

	feeds    map[*tab]*feed
	files    uint64 // of feeds
	many     bool   // several streams in each tab
	sides    map[*tab]map[string]*side
	allSides []*side

	disorder  bool // events come late, twice or never
	flips     bool // records cannot be read
	strangers bool // requests bear another user's token, streams are refused
	lines     bool // requests go over a bad line
	allLines  []*virtual.Line
	over      bool          // what follows is looking
	slice     int           // units of work in a step; 0 for as many as elsewhere
	middle    map[*tab]bool // in the middle of a step
	mirrors   map[*tab]*mirror
	stored    int                                         // how many writes of local logs have ended
	shown     bytes.Buffer                                // see keepShown
	looks     int                                         // how often somebody looked at that
	ids       map[*memstore.Database]map[action.UUID]bool // that profiles have had
}

// profile is one client: a local database and the tabs that have it open.
type profile struct {
	local *memstore.Database
	tabs  []*tab
	feeds []*feed // of each tab
}

// repeat is an action that is undone, or, when it was refused, tried again: each is done by one other at most.
type repeat struct {
	id    action.UUID
	retry bool
}

// promise is a write that a tab was given a ticket for.
type promise struct {
	tb     *tab
	ticket uint64
}

func newHistory(t *testing.T, seed uint64) *history {
	w := newWorld(t, seed)
	h := &history{world: w, r: w.Rand(), chaos: true, promises: map[action.UUID]*promise{}, repeats: map[repeat][]action.UUID{}, dealt: map[action.UUID]bool{}, trace: sha256.New(), steps: 150 + int(seed%5)*50,
		restores: seed%8 == 3 || seed%8 == 0, resets: map[*memstore.Database]map[uint64]own.Reset{}, copies: seed%8 == 1, evicts: seed%8 == 5, lends: seed%8 == 7 || seed%8 == 4 || seed%16 == 3 || seed%16 == 8, odd: map[*memstore.Database]bool{}}
	w.refuge = h.evicts
	h.disorder, h.flips, h.strangers, h.lines = seed%3 == 1, seed%5 == 3, seed%7 == 2, seed%11 == 6
	h.slice = []int{0, 1, 7, 40}[seed/2%4]
	h.feeds, h.middle = map[*tab]*feed{}, map[*tab]bool{}
	h.many, h.sides = seed/8%6 == 2 && !h.restores, map[*tab]map[string]*side{}
	w.change, h.mirrors, h.ids = h.context, map[*tab]*mirror{}, map[*memstore.Database]map[action.UUID]bool{}
	w.actionBytes = 600
	w.answerBytes, w.turnWork = []int{0, 1200, 5000}[seed/2%3], []int{0, 500, 1500}[seed/3%3] // a stream finds no room, a part of what is offered is taken
	w.compact = []int{0, 1000, 4000}[seed%3]
	if seed%4 >= 2 {
		w.checkpoint, w.keep = 2000, []uint64{0, 5, 100}[seed%3]
	}
	if seed%2 == 1 {
		w.locks = map[*memstore.Database]*lock{}
	}
	w.start()
	slowest := []int64{5, 40, 40, 3000}[h.r.IntN(4)]
	w.Latency = func(r *rand.Rand) int64 {
		if r.IntN(20) == 0 {
			return r.Int64N(slowest * 10)
		}
		return r.Int64N(slowest)
	}
	w.engine.fail = func() fate {
		if !h.odds(50) {
			return pass
		}
		if h.r.IntN(2) == 0 {
			h.hit("the server's disk fails before")
			return lostBefore
		}
		h.hit("the server's disk fails after")
		return lostAfter
	}
	for range 2 + h.r.IntN(3) {
		p := &profile{local: memstore.New(), tabs: make([]*tab, 1+h.r.IntN(3))}
		p.local.Fail = func(op, _ string, lsn locallog.LSN) error { return h.storeFault(p, op, lsn) }
		h.profiles = append(h.profiles, p)
	}
	return h
}

// storeFault is what befalls a call of a profile's store: a failure before or after it took effect, a full disk, or the end of
// one of the profile's tabs.
func (h *history) storeFault(p *profile, op string, lsn locallog.LSN) error {
	if !h.chaos || lsn == 0 {
		return nil
	}
	switch h.r.IntN(200) {
	case 0, 1, 2, 3, 4:
		h.hit("a call of the store fails")
		return errClosing
	case 5:
		if op == "append" {
			h.hit("the disk is full")
			return &action.Error{Code: action.CodeQuota}
		}
	case 6:
		if tb := p.tabs[h.r.IntN(len(p.tabs))]; tb != nil {
			h.hit("a tab dies in a call of its store")
			tb.kill()
		}
	}
	return nil
}

func (h *history) open(p *profile, i int) {
	tb := h.openAsync(p.local)
	tb.net.fault = func(int) fate {
		if !h.chaos || h.r.IntN(3) > 0 {
			return pass
		}
		f := fate(h.r.IntN(int(fates)))
		if f != pass {
			h.hit(fateNames[f])
		}
		return f
	}
	p.tabs[i] = tb
	h.all = append(h.all, tb)
	h.feed(p, i, tb)
	h.openSides(tb)
}

// each calls f for every tab that is open.
func (h *history) each(f func(tb *tab)) {
	for _, p := range h.profiles {
		for _, tb := range p.tabs {
			if tb != nil && tb.Stream != nil && !tb.dead && tb.closed == nil {
				f(tb)
			}
		}
	}
}

func (h *history) run() {
	for _, p := range h.profiles {
		for i := range p.tabs {
			h.open(p, i)
		}
	}
	h.Run(200)
	for range h.steps {
		p := h.profiles[h.r.IntN(len(h.profiles))]
		i := h.r.IntN(len(p.tabs))
		if tb := p.tabs[i]; tb.Stream == nil || tb.closed != nil || tb.dead || stuck(tb) {
			tb.kill()
			h.open(p, i)
			h.Run(500)
			continue
		}
		h.step(p, i)
		if h.t.Failed() {
			return
		}
	}
	h.settle()
	h.check()
	h.endFeeds()
}

// step is one thing that a tab does, and what happens to it.
func (h *history) step(p *profile, i int) {
	tb := p.tabs[i]
	h.write(tb)
	h.sideStep(tb)
	if h.r.IntN(3) > 0 {
		tb.Pump()
	}
	switch h.r.IntN(42) {
	case 0:
		h.hit("a tab is killed")
		tb.kill()
		h.open(p, i)
	case 1:
		h.hit("the browser says it is offline")
		tb.db.Offline()
	case 2:
		tb.db.Wake("the browser says it is online")
	case 3:
		h.hit("a tab is frozen")
		tb.host.Freeze()
		h.After(h.r.Int64N(90_000), tb.host.Thaw)
	case 4, 11: // the server's process ends; another begins
		h.hit("the server begins anew")
		h.server.Close()
		if h.r.IntN(4) > 0 { // what it refuses changes with it
			h.hit("verdicts change")
			h.actionBytes = []int{500, 900, 4000}[h.r.IntN(3)]
		}
		h.start()
	case 5:
		tb.db.Sync(func(error) {})
	case 6:
		h.hit("the lock is stolen")
		tb.db.Follow()
		tb.host.After(h.r.Int64N(30_000), tb.db.Lead)
	case 7:
		h.hit("a tab is closed")
		tb.db.Close(func(error) {})
	case 9:
		h.hit("a clock jumps")
		tb.host.Skew += h.r.Int64N(7_200_000) - 3_600_000
	case 10:
		if !h.restores { // it succeeds only where the server has everything, which a restore may lose then
			h.hit("a database is to be destroyed")
			tb.db.Destroy(false, func(int, error) {})
		}
	case 12, 13:
		h.rewind()
	case 14, 15, 16:
		h.lend(tb)
	case 8:
		if h.copies && len(h.odd) < 4 {
			h.hit("a profile is copied")
			h.copy(p)
		}
		if h.evicts && len(h.odd) < 2 {
			h.hit("a database is taken away")
			h.odd[p.local] = true
			_ = p.local.Open().Destroy(context.Background(), nil)
		}
	}
	switch h.r.IntN(12) {
	case 0:
		h.Run(h.r.Int64N(20_000))
	case 1, 2, 3, 4, 5, 6:
		h.Run(h.r.Int64N(60))
	}
	h.each(func(tb *tab) {
		h.noteReset(tb)
		if h.r.IntN(3) == 0 {
			tb.Refresh() // a hint of another tab
		}
		if h.r.IntN(10) == 0 {
			h.visible(tb)
		}
		if h.r.IntN(60) == 0 {
			h.replays(tb, h.r.IntN(2) == 0)
		}
	})
}

// write makes a random action.
func (h *history) write(tb *tab) {
	r := h.r
	one := func() string {
		id := `"object":"` + object(r.IntN(12)) + `"`
		switch r.IntN(8) {
		case 0, 1:
			return `{"op":"create",` + id + `,"type":"todo","fields":{"n":` + fmt.Sprint(r.IntN(5)) + `,"x":[1]}` + []string{"", `,"lock":true`}[r.IntN(20)/19] + `}`
		case 2:
			return `{"op":"remove",` + id + `}`
		case 3:
			return `{"op":"update",` + id + `,"inc":{"n":1},"union":{"x":[` + fmt.Sprint(r.IntN(6)) + `]}}`
		case 4:
			return `{"op":"update",` + id + `,"unset":["n"],"without":{"x":[` + fmt.Sprint(r.IntN(6)) + `]}}`
		case 5:
			if r.IntN(4) == 0 { // the server refuses it
				return `{"op":"update",` + id + `,"set":{"big":"` + strings.Repeat("b", 600) + `"}}`
			}
		}
		n := r.IntN(8)
		return `{"op":"update",` + id + `,"set":{"k` + fmt.Sprint(r.IntN(4)) + `":` + []string{"", written}[n%2] + fmt.Sprint(n/2) + []string{"", `"`}[n%2] + `}}`
	}
	ops := one()
	for range r.IntN(3) {
		ops += "," + one()
	}
	d := &queue.Draft{ID: tb.host.NewID(), At: h.Now(), Ops: "[" + ops + "]", Atomic: r.IntN(3) == 0}
	switch r.IntN(8) {
	case 0, 1:
		d.Guards = `[{"object":"` + object(r.IntN(12)) + `","unchanged":true}]`
	case 2:
		d.Guards = `[{"object":"` + object(r.IntN(12)) + `","key":"n","equals":` + fmt.Sprint(r.IntN(5)) + `}]`
	}
	var of repeat
	switch r.IntN(12) {
	case 0:
		of = h.again(tb, d)
	case 1:
		if list := tb.RejectedList(); len(list) > 0 {
			id := list[r.IntN(len(list))].ID
			h.dealt[id] = true
			tb.Discard(id, func(error) {})
		}
	}
	if ticket, err := tb.Write(d); err == nil {
		h.promises[d.ID] = &promise{tb, ticket}
		h.wrote(tb, d.Ops)
		h.feeds[tb].add(d.Objects)
		if of.id != action.Nil {
			h.repeats[of] = append(h.repeats[of], d.ID)
		}
	}
}

// again makes a draft of what was: an undo, a redo, or another try of what was refused; and tells what of.
func (h *history) again(tb *tab, d *queue.Draft) repeat {
	d.Guards, d.Atomic = "", false
	if list := tb.RejectedList(); len(list) > 0 && h.r.IntN(2) == 0 {
		j := list[h.r.IntN(len(list))]
		if err := tb.Retry(d, j.ID, []string{"", `{"set":{"big":1}}`}[h.r.IntN(2)]); err == nil {
			h.dealt[j.ID] = true
			return repeat{j.ID, true}
		}
		return repeat{}
	}
	toggle := tb.Undo
	if h.r.IntN(3) == 0 {
		toggle = tb.Redo
	}
	if _, err := toggle(d); err != nil {
		return repeat{}
	}
	target, _ := action.ParseUUID(d.Meta[len(`{"undoes":"`):][:36])
	return repeat{target, false}
}

// visible holds a tab's visible state to a fold from nothing: the log up to its head, then what is pending, in order. That is what
// the plain turn computes.
func (h *history) visible(tb *tab) {
	h.t.Helper()
	s := tb.State()
	log := h.engine.actions[stream]
	if past, was := h.engine.past[s.Epoch]; was { // what was in the place of this one
		log = past
	}
	if s.Head > uint64(len(log)) {
		h.t.Fatalf("a tab is at %d of a log of %d", s.Head, len(log))
	}
	want := state.NewState()
	for _, a := range log[:s.Head] {
		want.ApplyEntry(a, nil, nil)
	}
	want.Epoch = s.Epoch
	h.differences(tb, want)
	pending := strings.ReplaceAll(string(tb.AppendPending(nil, nil)), `"seq":null`, `"seq":1`)
	for _, raw := range elements(h.t, pending) {
		want.ApplyPending(decoded(h.t, raw), nil, nil)
	}
	if err := tb.Check(); err != nil {
		h.t.Fatal(err)
	}
	if got, want := string(s.AppendCheckpoint(nil, stream)), string(want.AppendCheckpoint(nil, stream)); got != want {
		h.t.Fatalf("the visible state is another than a fold from nothing:\n%s", difference(got, want))
	}
}

// settle ends the faults. What follows happens by the loop's own timers alone.
func (h *history) settle() {
	h.chaos = false
	for _, l := range h.allLines {
		if l.Lost > 0 {
			h.hit("a bad line breaks")
		}
		*l = virtual.Line{Up: 1 << 20, Down: 1 << 20, Latency: 20}
	}
	h.Run(2 * minute) // who is frozen wakes up
	// A destroy that was begun may come to its end meanwhile, and a tab may hear of it later still. A quarter of an hour is longer than
	// a lease: what it ends is in the log before the end.
	for _, pass := range []int64{1, 1, 14, 2} {
		for _, p := range h.profiles {
			for i, tb := range p.tabs {
				if tb.Stream == nil || tb.closed != nil || tb.dead || stuck(tb) || h.sidesStuck(tb) {
					tb.kill()
					h.open(p, i)
					continue
				}
				h.openSides(tb)
				tb.Pump()
			}
		}
		h.Run(pass * minute)
	}
}

// check holds the end of the history to the properties.
func (h *history) check() {
	t := h.t
	h.over = true
	var tabs []*tab
	for _, p := range h.profiles {
		tabs = append(tabs, p.tabs...)
	}
	h.converged(tabs...)
	h.checkSides(tabs)
	for _, tb := range tabs {
		if tb.Stream != nil {
			h.visible(tb)
			h.replays(tb, false)
			h.replays(tb, true)
		}
	}
	for _, tb := range h.all {
		if tb.Stream != nil {
			h.noteReset(tb)
		}
		for _, r := range tb.resets {
			h.seeReset(tb, r.Reset)
		}
	}
	log := h.engine.logs[stream]
	m := newModel()
	last := map[action.UUID]uint64{}
	in := map[action.UUID]uint64{}
	for i, e := range log {
		a := h.engine.actions[stream][i]
		switch from := in[a.ID]; {
		case from == 0:
			in[a.ID] = uint64(i + 1)
		case a.For.Seq == 0 && !(h.lends && h.restores) && h.engine.actions[stream][from-1].For.Seq == 0: // else the fold takes the first one
			t.Errorf("action %s is in the log at %d and at %d", a.ID, from, i+1)
		}
		if a.Client != action.Nil && a.Seq <= last[a.Client] {
			t.Errorf("the actions of client %s are not in its order at %d", a.Client, i+1)
		}
		last[a.Client] = a.Seq
		m.entry(e.Raw)
	}
	if got, want := modelText(t, string(h.fold().AppendCheckpoint(nil, stream))), m.text(); got != want {
		t.Errorf("the fold is another than the model's:\n%s", difference(got, want))
	}
	for id, p := range h.promises {
		h.kept(id, p, in[id], slices.Contains(tabs, p.tb))
	}
	stands, s := map[action.UUID]*action.Action{}, state.NewState()
	for _, a := range h.engine.actions[stream] {
		var e state.Effect
		s.ApplyEntry(a, nil, &e)
		if stands[a.ID] != nil && e.Reason != state.ReasonDuplicate && !(h.lends && h.restores) { // docs/BUNDLES.md says so
			t.Errorf("action %s counts twice", a.ID)
		}
		if !e.Discarded {
			stands[a.ID] = a
		}
	}
	for of, by := range h.repeats {
		taken := slices.DeleteFunc(slices.Clone(by), func(id action.UUID) bool { // an undo that came second takes back another step
			return stands[id] == nil || !of.retry && !strings.Contains(stands[id].Meta, of.id.String())
		})
		if len(taken) > 1 && len(h.odd) == 0 && !h.restores && !h.lends { // two copies may both take it back
			t.Errorf("%+v is done by %v", of, taken)
		}
	}
	for _, p := range h.profiles {
		if !h.odd[p.local] && !h.restores && !h.lends { // a copy, and who has lent or taken over, tells of its own writes, and of those that it was copied with
			h.reported(p)
		}
	}
}

// kept holds a promise: it is settled once, by what the log says; what was durable is in the log or was refused.
func (h *history) kept(id action.UUID, p *promise, index uint64, open bool) {
	t := h.t
	_, failed := p.tb.failed[p.ticket]
	_, refused := p.tb.refused[p.ticket]
	at, resolved := p.tb.resolved[p.ticket]
	settled := 0
	for _, b := range []bool{failed, refused, resolved} {
		if b {
			settled++
		}
	}
	switch {
	case settled > 1:
		t.Errorf("%s is settled %d times: failed %v, refused %v, resolved %v", id, settled, failed, refused, resolved)
	case open && settled == 0:
		t.Errorf("%s is never settled; in the log at %d", id, index)
	case h.restores && !failed:
		h.keptOver(id, p, index)
	case failed && index > 0 && action.CodeOf(p.tb.failed[p.ticket]) != action.CodeStorage: // else it was said that this cannot be told
		t.Errorf("%s was given back as not kept (%v), and is in the log at %d", id, p.tb.failed[p.ticket], index)
	case refused && index > 0 && (h.odd[p.tb.local] || h.lends): // here it stood by the former id, and another copy has sent it
	case refused && index > 0 && !h.listed(p.tb, id): // by a server that had other limits; then it came all the same, and is off the list
	case refused && index > 0:
		t.Errorf("%s was refused, and is in the log at %d", id, index)
	case resolved && index == 0:
		t.Errorf("%s is resolved, and not in the log", id)
	case resolved && at != 0 && at != index && !h.lends: // else one of them was discarded
		t.Errorf("%s is resolved with index %d, and in the log at %d", id, at, index)
	case h.odd[p.tb.local] && !open: // what only the database held that was taken away, or the memory of a tab that went on without
	case p.ticket <= p.tb.committed && !failed && !refused && index == 0 && !h.dealt[id] && !h.refusedOf(p.tb, id):
		t.Errorf("%s was durable, and is lost", id)
	}
}

// digest is a hash of what was sent and of what the log holds.
func (h *history) digest() string {
	for _, tb := range h.all {
		for _, body := range tb.net.requests {
			h.trace.Write([]byte(body))
		}
	}
	for _, e := range h.engine.logs[stream] {
		h.trace.Write([]byte(e.Raw))
	}
	return hex.EncodeToString(h.trace.Sum(nil))
}
