package server

import (
	"math"
	"sync"
	"time"
)

// limiter is a token bucket per principal.
type limiter struct {
	rate, burst float64
	now         func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// take gives the seconds to wait, 0 where the request may go on.
func (l *limiter) take(who string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buckets == nil {
		l.buckets = map[string]bucket{}
	}
	now := l.now()
	b, known := l.buckets[who]
	if !known {
		b = bucket{tokens: l.burst}
	} else {
		b.tokens = math.Min(l.burst, b.tokens+l.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.tokens < 1 {
		l.buckets[who] = b
		return int(math.Ceil((1 - b.tokens) / l.rate))
	}
	b.tokens--
	l.buckets[who] = b
	return 0
}

// sweep forgets full buckets.
func (l *limiter) sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for who, b := range l.buckets {
		if b.tokens+l.rate*now.Sub(b.at).Seconds() >= l.burst {
			delete(l.buckets, who)
		}
	}
}
