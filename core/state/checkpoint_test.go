package state

import (
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/action/actiontest"
)

// State from a checkpoint and the log after it is state from the log, byte for byte.
func TestACheckpointStandsForTheLogBeforeIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := actiontest.GenLog(t)
		cut := rapid.IntRange(0, len(log)).Draw(t, "cut")
		text := string(Fold(log[:cut]).AppendCheckpoint(nil, "v"))
		r, err := NewCheckpointReader(text)
		if err != nil {
			t.Fatal(err)
		}
		for done := false; !done; {
			if done, err = r.Step(rapid.IntRange(1, 400).Draw(t, "step")); err != nil {
				t.Fatalf("%v:\n%s", err, text)
			}
		}
		if r.Stream != "v" {
			t.Fatalf("stream %q", r.Stream)
		}
		for i := cut; ; i++ {
			if got, want := string(r.State.AppendCheckpoint(nil, "v")), string(Fold(log[:i]).AppendCheckpoint(nil, "v")); got != want {
				t.Fatalf("after %d of %d entries, from a checkpoint at %d:\n got %s\nwant %s", i, len(log), cut, got, want)
			}
			mustHold(t, r.State)
			if i == len(log) {
				break
			}
			r.State.ApplyEntry(log[i], nil, nil)
		}
	})
}

// What is read is canonical: a text that was changed anywhere is refused, or it is the checkpoint of another state.
func TestABrokenCheckpointIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(Fold(actiontest.GenLog(t)).AppendCheckpoint(nil, "v"))
		b := []byte(text)
		at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			b = b[:at]
		case 1:
			b[at] = rapid.SampledFrom([]byte(`0"{}[],:a\`+"\n\xff")).Draw(t, "byte")
		default:
			b = append(b[:at:at], append([]byte(text[rand.IntN(len(text)):]), b[at:]...)...)
		}
		stream, s, err := ReadCheckpoint(string(b))
		if err != nil {
			if action.CodeOf(err) != action.CodeMalformed {
				t.Fatal(err)
			}
			return
		}
		if len(b) < len(text) && at > 0 && b[at-1] != '\n' {
			t.Fatalf("half a line is taken:\n%s", b)
		}
		if got := s.AppendCheckpoint(nil, stream); string(got) != string(b) {
			t.Fatalf("what is no checkpoint is taken for one:\n%s\nit gives\n%s", b, got)
		}
	})
}
