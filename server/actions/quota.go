package actions

import (
	"context"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// allowance is what a principal may still bring into a stream, by its quota. Without a quota it is nil, and everything is allowed.
type allowance struct {
	quota   rights.Quota
	began   bool  // the stream is there
	streams int64 // that the principal has begun
	bytes   int64 // that are kept of it
	work    *rate.Limiter
	now     time.Time
}

// allow looks up what a principal has used.
func (s *Streams) allow(ctx context.Context, p rights.Principal, st *stream) (*allowance, error) {
	if s.Quota == nil {
		return nil, nil
	}
	q := s.Quota(p)
	if q == (rights.Quota{}) {
		return nil, nil
	}
	a := &allowance{quota: q, began: st.state.Head > 0, work: s.workers.of(p.Subject, q.Work), now: s.Now()}
	if q.Bytes > 0 || q.Streams > 0 && !a.began {
		use, err := s.engine.Use(ctx, p.Subject)
		if err != nil {
			return nil, err
		}
		a.streams, a.bytes = use.Streams, use.Bytes
	}
	return a, nil
}

// refuses tells why an action is over the quota, beside those of the batch.
func (a *allowance) refuses(st *stream, act *action.Action, b *batch) *action.Error {
	over := func(what string, most int64) *action.Error {
		return web.Problem(action.CodeQuota, "", "you are at your limit of "+strconv.FormatInt(most, 10)+" "+what)
	}
	switch {
	case a == nil:
		return nil
	case a.quota.Streams > 0 && !a.began && a.streams >= a.quota.Streams:
		return over("streams", a.quota.Streams)
	case a.quota.Bytes > 0 && a.bytes+int64(b.bytes+len(act.Raw)) > a.quota.Bytes:
		return over("bytes of actions", a.quota.Bytes)
	case a.quota.State > 0 && st.outgrows(act, b, int(a.quota.State)):
		return over("bytes of a stream's state", a.quota.State)
	}
	return nil
}

var errWork = web.Problem(action.CodeRateLimited, "", "you have had as much done as your limit is for now")

// bears tells whether the principal may have so much done now.
func (a *allowance) bears(work int) bool {
	return a == nil || a.work == nil || a.work.AllowN(a.now, min(work, a.work.Burst()))
}

// workers count what each principal has had done.
type workers struct {
	mu    sync.Mutex
	known map[string]*rate.Limiter
}

// maxWorkers is how many are remembered; who is forgotten begins anew.
const maxWorkers = 50_000

// of gives a principal's; nil where there is no limit. What is dearest is done at once, and is paid for after.
func (w *workers) of(who string, perSecond int64) *rate.Limiter {
	if perSecond == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known == nil || len(w.known) >= maxWorkers {
		w.known = map[string]*rate.Limiter{}
	}
	l := w.known[who]
	if l == nil || l.Limit() != rate.Limit(perSecond) {
		l = rate.NewLimiter(rate.Limit(perSecond), max(state.MaxWork, int(perSecond)))
		w.known[who] = l
	}
	return l
}
