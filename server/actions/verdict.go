package actions

import (
	"context"
	"errors"
	"iter"
	"runtime/debug"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// Judged is an action that a hook judges: who made it, where it is to go, and what is there before it. It is to be read only.
type Judged struct {
	Principal rights.Principal
	Stream    string
	Schema    int // the version of the client's code that offers it; 0: it says none
	Action    *action.Action
	Before    View
}

// View is a stream's state, to be read only, and only until the hook returns.
type View struct{ s *state.State }

// Head is the index of the last entry.
func (v View) Head() uint64 { return v.s.Head }

// Get gives an object as a JSON object of id, type and fields; nil where there is none.
func (v View) Get(id action.UUID) []byte {
	return v.s.AppendRow(nil, id)
}

// Objects are those of a type, in no order that means anything; of every one where it is empty.
func (v View) Objects(typ string) iter.Seq[state.Object] {
	return func(yield func(state.Object) bool) {
		for o := range v.s.Objects() {
			if (typ == "" || o.Type() == typ) && !yield(o) {
				return
			}
		}
	}
}

// malformed refuses for good what can never be right. What the fold decides is not refused: it is appended.
func (s *Streams) malformed(head uint64, act *protocol.Offer) *action.Error {
	switch {
	case act.Err != nil:
		return act.Err
	case len(act.Raw) > s.MaxActionBytes:
		return web.Problem(action.CodeTooLarge, "", "the action is over the limit of "+strconv.Itoa(s.MaxActionBytes)+" bytes")
	case act.Base > head:
		return web.Problem(action.CodeMalformed, "/base", "lies above the head")
	}
	for i := range act.Ops {
		if act.Ops[i].Kind == action.Unlock {
			return web.Problem(action.CodeMalformed, "/ops/"+strconv.Itoa(i)+"/op", "only the server unlocks")
		}
	}
	return nil
}

// tooMuch refuses an action that would take too long to apply, or make the state too large beside those that are about to be taken.
func (s *Streams) tooMuch(st *stream, a *action.Action, work int, b *batch) *action.Error {
	if work > state.MaxWork {
		var e *action.Error
		errors.As(st.state.TooMuch(a), &e)
		return e
	}
	if st.outgrows(a, b, s.MaxState) {
		return web.Problem(action.CodeQuota, "", "the stream's state is at its limit of "+strconv.Itoa(s.MaxState)+" bytes")
	}
	return nil
}

// outgrows tells whether an action would make the state larger than most, beside what is about to be taken.
func (st *stream) outgrows(a *action.Action, b *batch, most int) bool {
	grows := growth(a)
	if grows == 0 || st.size+b.bytes+grows <= most {
		return false
	}
	if !b.measured { // it is an upper bound between two looks, and a look is at every object
		b.measured, st.size = true, st.state.Size()-b.bytes
	}
	return st.size+b.bytes+grows > most
}

// growth is how many bytes an action may add to the state.
func growth(a *action.Action) (n int) {
	for i := range a.Ops {
		op := &a.Ops[i]
		if op.Kind == action.Create {
			n += len(a.Client.String())
		}
		for j := range op.Changes {
			n += len(op.Changes[j].Value)
		}
	}
	return n
}

// judge asks the app's hooks. refusal is for good; err says that it could not be told now: nothing is decided.
func (s *Streams) judge(ctx context.Context, j *Judged) (refusal *action.Error, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("a hook panicked", "stream", web.Hashed(j.Stream), "panic", r, "stack", string(debug.Stack()))
			refusal, err = nil, web.Problem(action.CodeUnavailable, "", "the server could not judge the action")
		}
	}()
	for _, hook := range [...]struct {
		f    func(context.Context, *Judged) error
		code string
	}{{s.Authorize, action.CodeForbidden}, {s.Validate, action.CodeInvalid}} {
		if hook.f == nil {
			continue
		}
		refused := hook.f(ctx, j)
		var e *action.Error
		switch {
		case refused == nil, errors.As(refused, &e) && e == nil: // a nil *action.Error is none either
		case ctx.Err() != nil || errors.Is(refused, context.Canceled) || errors.Is(refused, context.DeadlineExceeded):
			return nil, web.Problem(action.CodeUnavailable, "", "the server could not judge the action in time")
		case e != nil && (e.Code == action.CodeUnavailable || e.Code == action.CodeInternal || e.Code == action.CodeRateLimited):
			return nil, e
		case e != nil:
			return e, nil
		default:
			return web.Problem(hook.code, "", refused.Error()), nil
		}
	}
	return nil, nil
}
