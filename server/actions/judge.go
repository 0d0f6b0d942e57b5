package actions

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// Batch is what one request offers to one stream. It is to be read only.
type Batch struct {
	Principal rights.Principal
	Stream    string
	Actions   []*action.Action
}

// Judge judges the actions of a batch before the stream is taken, so that it holds up nobody: it sees no state. It gives a refusal or nil for each; an
// error decides nothing, and the client offers them again.
type Judge func(context.Context, *Batch) ([]*action.Error, error)

// ruling is what the judge said of an item's offers.
type ruling struct {
	asked   bool
	refused map[*action.Action]*action.Error
	err     error
}

// rule asks about each item that may come into its log, all at once: one that waits for the judge holds up no other.
func (s *Streams) rule(ctx context.Context, p rights.Principal, items []protocol.SyncRequest) []ruling {
	out := make([]ruling, len(items))
	if s.Judge == nil {
		return out
	}
	work := web.WorkOf(ctx)
	work.Pause()
	var all sync.WaitGroup
	for i := range items {
		it := &items[i]
		if it.Err != nil || len(it.Offers) == 0 || it.Schema < s.least(it.Stream) || !s.Auth.Allow(p, it.Stream, rights.Append) {
			continue
		}
		if head, err := s.Head(ctx, it.Stream); err != nil || head != it.After { // the turn will say so, and takes nothing
			continue
		}
		all.Go(func() { out[i] = s.ask(ctx, p, it) })
	}
	all.Wait()
	_ = work.Resume(context.WithoutCancel(ctx))
	return out
}

func (s *Streams) ask(ctx context.Context, p rights.Principal, it *protocol.SyncRequest) (r ruling) {
	defer func() {
		if v := recover(); v != nil {
			s.Log.Error("the judge panicked", "stream", web.Hashed(it.Stream), "panic", v, "stack", string(debug.Stack()))
			r.err = web.Problem(action.CodeUnavailable, "", "the server could not judge the action")
		}
	}()
	b := Batch{Principal: p, Stream: it.Stream}
	seen := map[action.UUID]bool{}
	for i := range it.Offers {
		if seen[it.Offers[i].ID] { // a verdict about one would be taken for the other's
			r.err = web.Problem(action.CodeMalformed, "/actions/"+strconv.Itoa(i)+"/id", "is that of another action")
			return r
		}
		seen[it.Offers[i].ID] = true
		if it.Offers[i].Err == nil {
			b.Actions = append(b.Actions, &it.Offers[i].Action)
		}
	}
	if r.asked = true; len(b.Actions) == 0 {
		return r
	}
	refused, err := s.Judge(ctx, &b)
	if err == nil && len(refused) != len(b.Actions) {
		err = fmt.Errorf("the judge has %d verdicts for %d actions", len(refused), len(b.Actions))
	}
	if err != nil {
		s.Log.Warn("nothing was decided", "stream", web.Hashed(it.Stream), "error", err)
		r.err = web.Problem(action.CodeUnavailable, "", "nothing is decided: the judge could not be asked")
		return r
	}
	r.refused = map[*action.Action]*action.Error{}
	for i, e := range refused {
		if e != nil {
			r.refused[b.Actions[i]] = e
		}
	}
	return r
}
