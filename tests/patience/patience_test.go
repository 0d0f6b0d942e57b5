package patience

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A busy machine's clock is slow: beside many that always have something to do a thread gets its part, and so does the clock.
func TestTheClockGoesAsFastAsTheMachine(t *testing.T) {
	var stop atomic.Bool
	defer stop.Store(true)
	for range 8 * runtime.NumCPU() {
		go func() {
			runtime.LockOSThread() // a thread each
			for !stop.Load() {
			}
		}()
	}
	True(t, "the clock to notice", func() bool { return Slowness() > 2 })
	began, wall := Now(), time.Now()
	time.Sleep(time.Second)
	if counted := Now() - began; counted > time.Since(wall)*2/3 {
		t.Errorf("it has counted %v of %v", counted, time.Since(wall))
	}
}

// What moves is waited for, however long it takes; what does not is given up.
func TestWaitsEndWhereNothingMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clock{at: time.Now(), share: 1}
		old := start
		start = func() *clock { return c }
		defer func() { start = old }()
		began, n := time.Now(), 0
		next := began
		seen, ok := until(func() (string, bool) {
			if time.Now().After(next) {
				n, next = n+1, time.Now().Add(Still-time.Second)
			}
			return strconv.Itoa(n), n == 5
		})
		if !ok || seen != "5" || time.Since(began) < 3*Still {
			t.Errorf("%v %s after %v", ok, seen, time.Since(began))
		}
		began = time.Now()
		if seen, ok := until(func() (string, bool) { return "the same", false }); ok || seen != "the same" || time.Since(began) < Still || time.Since(began) > 2*Still {
			t.Errorf("%v %s after %v", ok, seen, time.Since(began))
		}
		c.look(0.1)
		c.look(0.1) // a tenth, and a bit
		began = time.Now()
		ctx, cancel := Context(context.Background(), time.Second)
		defer cancel()
		<-ctx.Done()
		if took := time.Since(began); took < 2*time.Second || !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
			t.Errorf("on a machine that is busy a second took %v: %v", took, context.Cause(ctx))
		}
	})
}
