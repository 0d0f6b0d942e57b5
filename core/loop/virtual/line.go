package virtual

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// Line is a bad line: so many bytes a second each way, a latency there and back in milliseconds, and a share of the requests that it
// breaks, before the server has heard or after, at any moment. Bytes flow evenly: only what takes too long to begin is silent.
type Line struct {
	Up, Down int
	Latency  int64
	Loss     float64

	Sent, Lost, Silent int // requests
	Bytes              int // sent and received
}

var (
	errBroken = &action.Error{Code: action.CodeUnreachable, Message: "the line broke"}
	errSilent = &action.Error{Code: action.CodeTimeout, Message: "nothing came"}
)

// carry makes a request: the server is asked when the last byte is there, and told is called when the last one is back.
func (l *Line) carry(h *Host, r *plan.Request, ask func() *plan.Answered, told func(*plan.Answered)) {
	l.Sent++
	l.Bytes += len(r.Body)
	rand := h.w.rand
	up := l.Latency/2 + int64(len(r.Body))*1000/int64(l.Up)
	breaks, heard := rand.Float64() < l.Loss, rand.IntN(2) == 0
	if breaks {
		l.Lost++
	}
	if breaks && !heard {
		h.After(rand.Int64N(up+1), func() { told(&plan.Answered{Op: r.Op, Err: errBroken}) })
		return
	}
	first := up + l.Latency - l.Latency/2
	if first > r.Idle.First {
		l.Silent++
		h.After(r.Idle.First, func() { told(&plan.Answered{Op: r.Op, Err: errSilent}) })
	}
	h.w.After(up, func() { // what is on its way arrives, whatever becomes of who sent it
		e := ask()
		down := int64(len(e.Body)) * 1000 / int64(l.Down)
		if breaks {
			down, e = rand.Int64N(down+1), &plan.Answered{Op: r.Op, Err: errBroken}
		}
		l.Bytes += len(e.Body)
		if first <= r.Idle.First {
			h.After(first-up+down, func() { told(e) })
		}
	})
}
