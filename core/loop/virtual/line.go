package virtual

import (
	"math"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// Line is a bad line: so many bytes a second each way, a latency there and back in milliseconds, a share of the requests that it
// breaks, at any moment, and the mean time after which it breaks any (0: never). Bytes flow evenly: only what takes too long to
// begin is silent.
type Line struct {
	Up, Down int
	Latency  int64
	Loss     float64
	Breaks   int64

	Sent, Lost, Silent int // requests
	Bytes              int // sent and received
}

var (
	errBroken = &action.Error{Code: action.CodeUnreachable, Message: "the line broke"}
	errSilent = &action.Error{Code: action.CodeTimeout, Message: "nothing came"}
)

// carry makes a request: the server is asked when the last byte is there, and told is called when the last one is back.
func (l *Line) carry(h *Host, r *plan.Request, ask func() *plan.Answered, told func(*plan.Answered)) {
	rand := h.w.rand
	breaks := int64(math.MaxInt64) // after so many milliseconds
	if l.Breaks > 0 {
		breaks = int64(rand.ExpFloat64() * float64(l.Breaks))
	}
	share := 2.0
	if rand.Float64() < l.Loss {
		share = rand.Float64()
	}
	l.Sent++
	l.Bytes += len(r.Body)
	broken := func(after int64, part []byte) {
		l.Lost++
		h.After(after, func() { told(&plan.Answered{Op: r.Op, Body: part, Err: errBroken}) })
	}
	up := l.Latency/2 + int64(len(r.Body))*1000/int64(l.Up)
	if share < 0.5 {
		breaks = min(breaks, int64(share*float64(up)))
	}
	if breaks < up {
		broken(breaks, nil)
		return
	}
	first := up + l.Latency - l.Latency/2
	if first > r.Idle.First {
		l.Silent++
		h.After(r.Idle.First, func() { told(&plan.Answered{Op: r.Op, Err: errSilent}) })
	}
	h.w.After(up, func() { // what is on its way arrives, whatever becomes of who sent it
		e := ask()
		all := first + int64(len(e.Body))*1000/int64(l.Down)
		if share < 1 {
			breaks = min(breaks, up+int64(share*float64(all-up)))
		}
		switch {
		case first > r.Idle.First:
		case breaks < all:
			came := e.Body[:max(0, breaks-first)*int64(l.Down)/1000]
			l.Bytes += len(came)
			if r.Offer == nil {
				came = nil
			}
			broken(breaks-up, came)
		default:
			l.Bytes += len(e.Body)
			h.After(all-up, func() { told(e) })
		}
	})
}
