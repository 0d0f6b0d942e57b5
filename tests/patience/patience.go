// Package patience waits in tests: for what is to happen, as long as anything moves. It gives up where nothing has moved for a time that is
// measured in what the machine had to give, so that a busy one has more of it: nothing here fails by a clock on the wall.
package patience

import (
	"context"
	"testing"
	"time"
)

// Still is how long nothing may move before a wait is given up, on a machine that has nothing else to do.
const Still = 30 * time.Second

// look is how long a wait sleeps between two looks.
const look = 50 * time.Millisecond

// Until waits until it is done. What it sees on the way is progress where it differs from what was seen before, and then the patience begins
// anew.
func Until(t testing.TB, what string, see func() (seen string, done bool)) {
	t.Helper()
	if seen, ok := until(see); !ok {
		t.Fatalf("nothing moves, and still waiting for %s; the last that was seen: %s", what, seen)
	}
}

func until(see func() (seen string, done bool)) (last string, ok bool) {
	for given := Now(); Now()-given < Still; time.Sleep(look) {
		seen, done := see()
		if done {
			return seen, true
		}
		if seen != last {
			last, given = seen, Now()
		}
	}
	return last, false
}

// True waits until something is so.
func True(t testing.TB, what string, is func() bool) {
	t.Helper()
	Until(t, what, func() (string, bool) { return "", is() })
}

// Receive waits for a value of a channel.
func Receive[T any](t testing.TB, what string, from <-chan T) (value T) {
	t.Helper()
	ctx, cancel := Context(context.Background(), Still)
	defer cancel()
	select {
	case value = <-from:
	case <-ctx.Done():
		t.Fatalf("nothing moves, and still waiting for %s", what)
	}
	return value
}

// Context ends after so much time of this machine.
func Context(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	go func() {
		for given := Now(); Now()-given < limit; {
			select {
			case <-ctx.Done():
				return
			case <-time.After(probeEvery):
			}
		}
		cancel(context.DeadlineExceeded)
	}()
	return ctx, func() { cancel(context.Canceled) }
}
