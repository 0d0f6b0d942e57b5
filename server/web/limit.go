package web

import (
	"math"
	"sync"
	"time"
)

// Limiter is a token bucket per principal.
type Limiter struct {
	rate, burst float64
	now         func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

// NewLimiter makes a limiter that lets rate requests a second through, and burst at once.
func NewLimiter(rate float64, burst int, now func() time.Time) *Limiter {
	return &Limiter{rate: rate, burst: float64(burst), now: now, buckets: map[string]bucket{}}
}

type bucket struct {
	tokens float64
	at     time.Time
}

// Take gives the seconds to wait, 0 where the request may go on.
func (l *Limiter) Take(who string) int {
	if l == nil || math.IsInf(l.rate, 1) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
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

// Charge counts more of a request that was let through: what it was about is known only then.
func (l *Limiter) Charge(who string, more int) {
	if l == nil || more <= 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, known := l.buckets[who]; known {
		b.tokens -= float64(more)
		l.buckets[who] = b
	}
}

// Sweep forgets full buckets.
func (l *Limiter) Sweep() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for who, b := range l.buckets {
		if b.tokens+l.rate*now.Sub(b.at).Seconds() >= l.burst {
			delete(l.buckets, who)
		}
	}
}
