package protocol

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
)

// An app's rules: verdicts are per action, on the state that the actions before it in the same request leave; what is refused ends the batch, and
// what cannot be decided decides nothing.
func TestHooksJudgeEachAction(t *testing.T) {
	var broken atomic.Value
	a := newAPI(t, func(c *server.Config) {
		c.Authorize = func(_ context.Context, j *server.Judged) error {
			if strings.Contains(j.Action.Raw, "forbidden word") {
				return errors.New("not that word")
			}
			return nil
		}
		c.Validate = func(_ context.Context, j *server.Judged) error {
			if err, _ := broken.Load().(string); err == "panic" {
				panic("a bug of the app")
			} else if err != "" {
				return &action.Error{Code: err, Message: "come again"}
			}
			for _, op := range j.Action.Ops {
				if op.Kind == action.Remove && strings.Contains(string(j.Before.Get(op.Object)), `"kept":true`) {
					return &action.Error{Code: "kept", Message: "it is to be kept"}
				}
			}
			n := 0
			for range j.Before.Objects("todo") {
				n++
			}
			if j.Action.Ops[0].Kind == action.Create && n >= 3 {
				return fmt.Errorf("there are %d already", n)
			}
			return nil
		}
	})
	make := func(seq int, title string) string {
		return actionOf(1, seq, 0, `[{"op":"create","object":"`+objectID(seq)+`","type":"todo","fields":{"title":"`+title+`","kept":true}}]`)
	}
	codes := func(it item) (out []string) {
		for _, r := range it.Rejected {
			out = append(out, r.Code+": "+r.Message)
		}
		return out
	}
	// The fourth is one too many, by the three before it in the same request; what follows a refusal is neither taken nor refused, unless it is refused.
	one := a.turn(1, `"after":0,"actions":[`+strings.Join([]string{make(1, "a"), make(2, "b"), make(3, "c"), make(4, "d"), make(5, "e"),
		actionOf(1, 6, 0, `[{"op":"update","object":"`+objectID(1)+`","set":{"n":1}}]`)}, ",")+`]`)
	if len(one.Persisted) != 3 || fmt.Sprint(codes(one)) != "[invalid: there are 3 already invalid: there are 3 already]" || one.Head != 3 {
		t.Fatalf("%+v", one)
	}
	two := a.turn(1, at(one)+`,"actions":[`+actionOf(1, 6, 0, `[{"op":"remove","object":"`+objectID(2)+`"}]`)+`,`+
		actionOf(1, 7, 0, `[{"op":"update","object":"`+objectID(1)+`","set":{"title":"forbidden word"}}]`)+`]`)
	if fmt.Sprint(codes(two)) != "[kept: it is to be kept forbidden: not that word]" || two.Head != 3 {
		t.Fatalf("%+v", two)
	}
	for _, why := range []string{"panic", action.CodeUnavailable, action.CodeInternal, action.CodeRateLimited} {
		broken.Store(why)
		it := a.turn(1, at(one)+`,"actions":[`+actionOf(1, 8, 0, `[{"op":"update","object":"`+objectID(1)+`","set":{"n":1}}]`)+`]`)
		if it.Error == nil || it.Head != 3 || len(it.Persisted)+len(it.Rejected) > 0 {
			t.Fatalf("%s: %+v", why, it)
		}
	}
	broken.Store("")
	if it := a.turn(1, at(one)+`,"actions":[`+actionOf(1, 8, 0, `[{"op":"update","object":"`+objectID(1)+`","set":{"n":1}}]`)+`]`); it.Head != 4 {
		t.Fatalf("after it works again: %+v", it)
	}
}
