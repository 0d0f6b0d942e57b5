package state

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
)

// The vectors are what every replica computes, case by case; docs/PROTOCOL.md tells their format. STRANDLINE_VECTORS
// names another folder of them.

type vectorFile struct {
	Format int          `json:"format"`
	Cases  []vectorCase `json:"cases"`
}

type vectorCase struct {
	Name    string            `json:"name"`
	Client  string            `json:"client"`
	Log     []json.RawMessage `json:"log"`
	Applied int               `json:"applied"`
	Pending []json.RawMessage `json:"pending"`
	Expect  struct {
		Confirmed      any               `json:"confirmed"`
		Before         any               `json:"before"`
		ConfirmedAfter any               `json:"confirmed_after"`
		After          any               `json:"after"`
		PendingAfter   []string          `json:"pending_after"`
		Effects        map[string]any    `json:"effects"`
		Clients        map[string][3]any `json:"clients"`
		Chain          string            `json:"chain"`
		Checkpoint     string            `json:"checkpoint"`
	} `json:"expect"`
}

// loadVectors reads every vector file; it fails when there is none, so that an empty folder proves nothing.
func loadVectors(t *testing.T) map[string]vectorFile {
	t.Helper()
	dir := os.Getenv("STRANDLINE_VECTORS")
	if dir == "" {
		dir = "../tests/vectors"
	}
	paths, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(paths) == 0 { // given from the top of the repository
		paths, _ = filepath.Glob(filepath.Join("..", dir, "*.json"))
	}
	if len(paths) == 0 {
		t.Fatalf("no vectors in %s", dir)
	}
	files := map[string]vectorFile{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f vectorFile
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(path, err)
		}
		if f.Format != 1 || len(f.Cases) == 0 {
			t.Fatalf("%s: format %d, %d cases", path, f.Format, len(f.Cases))
		}
		files[filepath.Base(path)] = f
	}
	return files
}

// entryOf reads a vector's log entry: an action with its index among its members.
func entryOf(t *testing.T, text json.RawMessage) *action.Action {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	delete(m, "index")
	plain, _ := json.Marshal(m)
	a, err := action.DecodeAction(string(plain))
	if err != nil {
		t.Fatalf("%s: %v", plain, err)
	}
	return a
}

// contents is the state in the vectors' form.
func contents(t *testing.T, s *State) any {
	t.Helper()
	out := map[string]any{}
	for _, slot := range s.sortedSlots() {
		o := s.objects.at(slot)
		var fields any
		if err := json.Unmarshal(s.appendFields(nil, o), &fields); err != nil {
			t.Fatal(err)
		}
		m := map[string]any{"type": s.names[o.typ], "fields": fields}
		if o.locked {
			m["lock"] = o.lock.String()
		}
		out[o.id.String()] = m
	}
	return out
}

func effectJSON(e Effect) any {
	result := func(discarded bool, reason Reason) map[string]any {
		m := map[string]any{"result": "applied"}
		if discarded {
			m["result"] = "discarded"
		}
		if reason != "" {
			m["reason"] = string(reason)
		}
		return m
	}
	m := result(e.Discarded, e.Reason)
	if e.Ops != nil {
		var ops []any
		for _, oe := range e.Ops {
			o := result(oe.Discarded, oe.Reason)
			if len(oe.Keys) > 0 {
				keys := map[string]any{}
				for _, k := range oe.Keys {
					keys[k.Key] = string(k.Reason)
				}
				o["keys"] = keys
			}
			if len(oe.Overwrote) > 0 {
				over := map[string]any{}
				for _, w := range oe.Overwrote {
					over[w.Key] = w.Write.Action.String()
				}
				o["overwrote"] = over
			}
			ops = append(ops, o)
		}
		m["ops"] = ops
	}
	return m
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := json.Marshal(got)
		w, _ := json.Marshal(want)
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func TestVectors(t *testing.T) {
	for name, file := range loadVectors(t) {
		for _, c := range file.Cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) { runVector(t, c) })
		}
	}
}

func runVector(t *testing.T, c vectorCase) {
	var log, pending []*action.Action
	for _, text := range c.Log {
		log = append(log, entryOf(t, text))
	}
	for _, text := range c.Pending {
		pending = append(pending, entryOf(t, text))
	}
	want := c.Expect

	// The replica before the new entries come.
	s := Fold(log[:c.Applied])
	same(t, "confirmed", contents(t, s), want.Confirmed)
	undos := make([]Undo, len(pending))
	for i, a := range pending {
		s.ApplyPending(a, &undos[i], nil)
	}
	same(t, "before", contents(t, s), want.Before)

	// The turn, as semantics section 5 has it.
	for i := len(pending) - 1; i >= 0; i-- {
		s.Unapply(&undos[i])
	}
	same(t, "confirmed, after unapply", contents(t, s), want.Confirmed)
	effects := map[string]any{}
	resolved := map[action.UUID]bool{}
	for _, a := range log[c.Applied:] {
		var e Effect
		s.ApplyEntry(a, nil, &e)
		effects[a.ID.String()] = effectJSON(e)
		resolved[a.ID] = true
	}
	same(t, "confirmed_after", contents(t, s), want.ConfirmedAfter)
	if got := s.Chain.String(); got != want.Chain {
		t.Errorf("chain %s, want %s", got, want.Chain)
	}
	if got := string(s.AppendCheckpoint(nil, "v")); got != want.Checkpoint {
		t.Errorf("checkpoint:\n got %s\nwant %s", got, want.Checkpoint)
	}
	if _, read, err := ReadCheckpoint(want.Checkpoint); err != nil {
		t.Errorf("the checkpoint is not read: %v", err)
	} else if got := string(read.AppendCheckpoint(nil, "v")); got != want.Checkpoint {
		t.Errorf("checkpoint, read and written again:\n got %s\nwant %s", got, want.Checkpoint)
	}
	clients := map[string][3]any{}
	for _, row := range s.clients.Sorted() {
		clients[row.Client.String()] = [3]any{float64(row.Seq), float64(row.Index), row.Action.String()}
	}
	same(t, "clients", clients, want.Clients)
	left := []string{}
	for _, a := range pending {
		if resolved[a.ID] {
			continue
		}
		var e Effect
		s.ApplyPending(a, new(Undo), &e)
		effects[a.ID.String()] = effectJSON(e)
		left = append(left, a.ID.String())
	}
	same(t, "after", contents(t, s), want.After)
	same(t, "pending_after", left, want.PendingAfter)
	same(t, "effects", any(effects), any(want.Effects))

	// The same log, whichever way it is taken back and applied again.
	full := Fold(log)
	before := string(full.AppendCheckpoint(nil, "v"))
	again := NewState()
	var us []Undo
	for _, a := range log {
		us = append(us, Undo{})
		again.ApplyEntry(a, &us[len(us)-1], nil)
	}
	if got := string(again.AppendCheckpoint(nil, "v")); got != before {
		t.Error("applying with an undo record computes something else than without:\n" + got)
	}
	for i := len(us) - 1; i >= 0; i-- {
		again.Unapply(&us[i])
		if want := string(Fold(log[:i]).AppendCheckpoint(nil, "v")); string(again.AppendCheckpoint(nil, "v")) != want {
			t.Error("unapply of entry " + strconv.Itoa(i+1) + " leaves another state")
		}
	}
}
