package patience

import (
	"runtime"
	"sync"
	"time"
)

const (
	probeEvery = 500 * time.Millisecond
	probeWork  = 5 * time.Millisecond // less than what makes the scheduler of Go step in
)

// clock goes as fast as this machine: a second of it is one in which a thread that always had something to do would have had a processor for a
// second. It looks every half second how long a little work takes.
type clock struct {
	mu      sync.Mutex
	at      time.Time
	counted time.Duration // until at
	share   float64       // of a processor that a thread gets, at the last look
}

var start = sync.OnceValue(func() *clock {
	c := &clock{at: time.Now(), share: share()}
	go func() {
		for {
			time.Sleep(probeEvery)
			c.look(share())
		}
	}()
	return c
})

// Now is the time of this machine since the first question.
func Now() time.Duration {
	c := start()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counted + time.Duration(float64(time.Since(c.at))*c.share)
}

// Slowness is how many times longer than on an idle machine work takes now.
func Slowness() float64 {
	c := start()
	c.mu.Lock()
	defer c.mu.Unlock()
	return 1 / c.share
}

func (c *clock) look(share float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.counted += time.Duration(float64(now.Sub(c.at)) * c.share)
	c.at, c.share = now, (c.share+share)/2
}

// share works for a little and tells how much of a processor it had meanwhile.
func share() float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, worked := time.Now(), onProcessor()
	for onProcessor()-worked < probeWork {
	}
	return min(1, float64(probeWork)/float64(max(time.Since(began), probeWork)))
}
