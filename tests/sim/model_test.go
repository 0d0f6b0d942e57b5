package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
)

// model is the fold of the semantics written a second time, as plainly as can be: maps of canonical values, everything copied,
// nothing unapplied. What the core computes must equal it.
type model struct {
	head    uint64
	objects map[string]*modelObject
	last    map[string]uint64 // seq of each client
	lastID  map[string]string // and the action
	sent    map[string]bool   // by another client than its maker, and stood
	stood   bool              // an op of the entry under way has
}

type modelObject struct {
	typ, lock string
	fields    map[string]string // canonical JSON
	touches   []modelTouch
}

type modelTouch struct {
	index  uint64
	client string
}

// modelAction is an action as encoding/json reads it.
type modelAction struct {
	ID, Client string
	Seq, Base  uint64
	For        [2]any // who has made it, and the seq there
	Atomic     bool
	If         []struct {
		Object    string
		Key       *string
		Exists    *bool
		Equals    json.RawMessage
		Unchanged bool
	}
	Ops []struct {
		Op, Object, Type string
		Fields           map[string]json.RawMessage
		Lock             bool
		Set              map[string]json.RawMessage
		Unset            []string
		Inc              map[string]json.RawMessage
		Union            map[string][]json.RawMessage
		Without          map[string][]json.RawMessage
	}
}

func newModel() *model {
	return &model{objects: map[string]*modelObject{}, last: map[string]uint64{}, lastID: map[string]string{}, sent: map[string]bool{}}
}

func canon(raw []byte) string {
	text, err := action.Canonical(string(raw), action.MaxDepth)
	if err != nil {
		panic(err)
	}
	return text
}

func (m *model) copyObjects() map[string]*modelObject {
	out := map[string]*modelObject{}
	for id, o := range m.objects {
		c := *o
		c.fields, c.touches = maps.Clone(o.fields), slices.Clone(o.touches)
		out[id] = &c
	}
	return out
}

// entry applies the log's next entry.
func (m *model) entry(raw string) {
	var a modelAction
	if err := json.Unmarshal([]byte(raw), &a); err != nil {
		panic(err)
	}
	m.head++
	maker, adopted := a.For[0].(string)
	has := m.sent[a.ID] || adopted && m.lastID[maker] == a.ID
	if a.Client != action.Nil.String() {
		if a.Seq <= m.last[a.Client] {
			return
		}
		m.last[a.Client], m.lastID[a.Client] = a.Seq, a.ID
	}
	if has {
		return
	}
	m.stood = false
	for _, g := range a.If {
		o := m.objects[g.Object]
		holds := false
		switch {
		case g.Unchanged:
			holds = o != nil && !slices.ContainsFunc(o.touches, func(t modelTouch) bool { return t.client != a.Client && t.index > a.Base })
		case g.Key == nil:
			holds = (o != nil) == *g.Exists
		case g.Exists != nil:
			holds = (o != nil && o.fields[*g.Key] != "") == *g.Exists
		default:
			holds = o != nil && o.fields[*g.Key] == canon(g.Equals)
		}
		if !holds {
			return
		}
	}
	before := m.copyObjects()
	for i := range a.Ops {
		if !m.op(&a, i) && a.Atomic {
			m.objects = before
			return
		}
	}
	if adopted && m.stood {
		m.sent[a.ID] = true
	}
}

// op applies one; false where it, or a part of it, does not stand.
func (m *model) op(a *modelAction, i int) bool {
	op := &a.Ops[i]
	o := m.objects[op.Object]
	touch := modelTouch{m.head, a.Client}
	if op.Op == "create" {
		if o != nil {
			return false
		}
		o = &modelObject{typ: op.Type, fields: map[string]string{}, touches: []modelTouch{touch}}
		if op.Lock {
			o.lock = a.Client
		}
		for k, v := range op.Fields {
			o.fields[k] = canon(v)
		}
		m.objects[op.Object] = o
		m.stood = true
		return true
	}
	if o == nil {
		return false
	}
	if op.Op == "unlock" {
		o.lock = ""
		m.stood = true
		return true
	}
	if o.lock != "" && o.lock != a.Client {
		return false
	}
	if op.Op == "remove" {
		delete(m.objects, op.Object)
		m.stood = true
		return true
	}
	whole := true
	for k, v := range op.Set {
		o.fields[k] = canon(v)
	}
	for _, k := range op.Unset {
		delete(o.fields, k)
	}
	for k, v := range op.Inc {
		var n, by float64
		if old := o.fields[k]; old != "" && json.Unmarshal([]byte(old), &n) != nil || old == "null" {
			whole = false
			continue
		}
		_ = json.Unmarshal(v, &by)
		sum, err := json.Marshal(n + by)
		if err != nil {
			whole = false
			continue
		}
		o.fields[k] = canon(sum)
	}
	arrays := func(parts map[string][]json.RawMessage, merge func(have []string, v string) []string) {
		for k, values := range parts {
			var have []json.RawMessage
			if old := o.fields[k]; old != "" && (json.Unmarshal([]byte(old), &have) != nil || old == "null") {
				whole = false
				continue
			}
			if o.fields[k] == "" && len(parts) > 0 && op.Without[k] != nil {
				continue
			}
			out := []string{}
			for _, v := range have {
				out = append(out, canon(v))
			}
			for _, v := range values {
				out = merge(out, canon(v))
			}
			o.fields[k] = "[" + strings.Join(out, ",") + "]"
		}
	}
	arrays(op.Union, func(have []string, v string) []string {
		if slices.Contains(have, v) {
			return have
		}
		return append(have, v)
	})
	arrays(op.Without, func(have []string, v string) []string {
		return slices.DeleteFunc(have, func(w string) bool { return w == v })
	})
	o.touches = append(o.touches, touch)
	m.stood = true
	return whole
}

// text is what the model holds, one object a line, by id.
func (m *model) text() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(m.objects)) {
		o := m.objects[id]
		fmt.Fprintf(&b, "%s %s lock %q", id, o.typ, o.lock)
		for _, k := range slices.Sorted(maps.Keys(o.fields)) {
			fmt.Fprintf(&b, " %s=%s", k, o.fields[k])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// modelText is a checkpoint of the core in the same form.
func modelText(t *testing.T, checkpoint string) string {
	t.Helper()
	m := newModel()
	for line := range strings.Lines(checkpoint) {
		var o struct {
			Object, Type, Lock string
			Fields             map[string]json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		if o.Object == "" {
			continue
		}
		fields := map[string]string{}
		for k, v := range o.Fields {
			fields[k] = canon(v)
		}
		m.objects[o.Object] = &modelObject{typ: o.Type, lock: o.Lock, fields: fields}
	}
	return m.text()
}

// elements are the texts of the values of a JSON array.
func elements(t *testing.T, array string) (out []string) {
	t.Helper()
	var raws []json.RawMessage
	if err := json.Unmarshal([]byte(array), &raws); err != nil {
		t.Fatal(err)
	}
	for _, raw := range raws {
		out = append(out, string(raw))
	}
	return out
}
