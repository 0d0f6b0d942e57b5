package replica

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/undo"
)

var typing, more = action.UUID{0: 7, 15: 1}, action.UUID{0: 7, 15: 2}

func (w *replicaWorld) grouped(group action.UUID, s string, a ...any) action.UUID {
	return w.write(&queue.Draft{Ops: "[" + fmt.Sprintf(s, a...) + "]", Meta: undo.GroupMeta(group)})
}

func (w *replicaWorld) wants(text string) {
	w.t.Helper()
	got := ""
	for key, value := range w.r.state.Object(X).Fields() {
		got += key + "=" + value + " "
	}
	if got != text {
		w.t.Fatalf("it is %q, and was to be %q", got, text)
	}
}

// What is typed is one step, wherever its parts are: in the log, pending, not committed yet.
func TestAGroupIsOneStepOfUndo(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"text":"","n":1}}`, X)
	w.ops(`{"op":"update","object":"%s","set":{"n":2}}`, X)
	for i, text := range []string{"h", "he", "hel", "hell", "hello"} {
		w.grouped(typing, `{"op":"update","object":"%s","set":{"text":"%s"}}`, X, text)
		switch i {
		case 1:
			w.commit()
			w.persist(4)
		case 3:
			w.commit()
		}
	}
	w.grouped(more, `{"op":"update","object":"%s","set":{"text":"hello!"}}`, X)
	w.undo(false)
	w.wants(`n=2 text="hello" `)
	w.undo(false)
	w.wants(`n=2 text="" `)
	w.undo(false)
	w.wants(`n=1 text="" `)
	if undo, redo := w.r.Undoable(); !undo || !redo {
		t.Fatal(undo, redo)
	}
	for _, want := range []string{`n=2 text="" `, `n=2 text="hello" `, `n=2 text="hello!" `} {
		w.undo(true)
		w.wants(want)
	}
	if _, redo := w.r.Undoable(); redo {
		t.Error("there is something to redo")
	}
	w.undo(false)
	w.undo(false)
	w.wants(`n=2 text="" `)
}

// A key goes back only as far as nobody else has written it.
func TestAGroupTakesNothingOfOthersBack(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"a":"0","b":"0","c":"0","n":0}}`, X)
	w.commit()
	w.persist(1)
	w.grouped(typing, `{"op":"update","object":"%s","set":{"a":"1","b":"1","c":"1"},"inc":{"n":1}}`, X)
	w.commit()
	w.persist(1)
	w.other(1, 2, fmt.Sprintf(`{"op":"update","object":"%s","set":{"a":"theirs"},"inc":{"n":10}}`, X))
	w.grouped(typing, `{"op":"update","object":"%s","set":{"a":"2","b":"2"},"inc":{"n":1}}`, X)
	w.commit()
	w.persist(1)
	w.other(2, 4, fmt.Sprintf(`{"op":"update","object":"%s","set":{"c":"theirs"}}`, X))
	d := &queue.Draft{}
	skipped, err := w.r.Undo(d)
	if err != nil || len(skipped) != 1 || skipped[0].Key != "c" {
		t.Fatal(skipped, err)
	}
	w.write(d)
	w.wants(`a="theirs" b="0" c="theirs" n=10 `)
}

// A new write, or an undo, ends a group: what follows is another step.
func TestAGroupEndsWithWhatIsNotOfIt(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":0,"text":""}}`, X)
	w.grouped(typing, `{"op":"update","object":"%s","set":{"text":"a"}}`, X)
	w.ops(`{"op":"update","object":"%s","set":{"n":1}}`, X)
	w.grouped(typing, `{"op":"update","object":"%s","set":{"text":"ab"}}`, X)
	w.undo(false)
	w.wants(`n=1 text="a" `)
	w.grouped(typing, `{"op":"update","object":"%s","set":{"text":"ac"}}`, X)
	w.undo(false)
	w.wants(`n=1 text="a" `)
	w.undo(false)
	w.undo(false)
	w.wants(`n=0 text="" `)
}

// Where a part of a step is refused, its undo is refused with it: alone it would be a change of its own.
func TestAnUndoOfATornGroupGoesWithIt(t *testing.T) {
	w := newReplicaWorld(t)
	w.ops(`{"op":"create","object":"%s","type":"t","fields":{"n":10,"y":0}}`, X)
	w.commit()
	w.persist(1)
	a := w.grouped(typing, `{"op":"update","object":"%s","inc":{"n":5}}`, X)
	w.grouped(typing, `{"op":"update","object":"%s","set":{"y":1}}`, X)
	w.commit()
	w.undo(false)
	w.commit()
	w.wants(`n=10 y=0 `)
	w.refuse(a)
	w.wants(`n=10 y=1 `)
	if n := len(w.r.RejectedList()); n != 2 {
		t.Errorf("%d are refused", n)
	}
}

// Whatever a group does, and wherever its parts are, its undo leads back to what was before it, and its redo to what was after; also
// after a reload.
func TestAGroupGoesBackAndForthExactly(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newReplicaWorld(rt)
		w.ops(`{"op":"create","object":"%s","type":"t","fields":{"a":0,"b":"x","c":[1],"n":5}}`, X)
		w.commit()
		shown := func() string {
			out := ""
			for key, value := range w.r.state.Object(X).Fields() {
				if value != "" { // unset
					out += key + "=" + value + " "
				}
			}
			return out
		}
		states := []string{shown()}
		for g := range rapid.IntRange(1, 4).Draw(rt, "groups") {
			group := action.UUID{0: 9, 15: byte(g)}
			w.grouped(group, `{"op":"update","object":"%s","set":{"m":%d}}`, X, g) // else there may be nothing to take back, and it is passed over
			for range rapid.IntRange(1, 6).Draw(rt, "parts") {
				n := 10 + w.n // a write that changes nothing hides what was before it
				w.grouped(group, rapid.SampledFrom([]string{
					`{"op":"update","object":"%s","set":{"a":%d}}`,
					`{"op":"update","object":"%s","inc":{"n":%d}}`,
					`{"op":"update","object":"%s","set":{"b":"y%d"},"unset":["a"]}`,
					`{"op":"update","object":"%s","union":{"c":[%d]}}`,
					`{"op":"update","object":"%s","set":{"n":%d}}`,
				}).Draw(rt, "op"), X, n)
				if rapid.Bool().Draw(rt, "commit") {
					w.commit()
				}
				if n := len(w.r.q.Pending); n > 0 && rapid.Bool().Draw(rt, "persist") {
					w.persist(rapid.IntRange(1, n).Draw(rt, "of"))
				}
			}
			states = append(states, shown())
		}
		groups := len(states) - 1
		same := func(what string, i int) {
			if got := shown(); got != states[i] {
				rt.Fatalf("%s %d: %s, want %s", what, i, got, states[i])
			}
		}
		step := func(redo bool) { w.undo(redo) }
		w.commit()
		if rapid.Bool().Draw(rt, "reload") {
			w.reload()
		}
		for i := groups - 1; i >= 0; i-- {
			step(false)
			same("undo", i)
		}
		for i := range groups {
			step(true)
			same("redo", i+1)
		}
	})
}
