package actions

import (
	"github.com/strandline-sync/strandline/server/web"

	"context"
	"sync"
	"time"

	"github.com/strandline-sync/strandline/core/action"
)

// pushers keeps anybody from losing for ever. A client that lost twice running with actions, and that has just been brought to the head,
// may hold the stream: until its next request other appends wait. Turns go round the askers, by who has waited longest since the last one of his,
// and after each there is a gap in which everybody races: who asks for turn after turn, under however many client ids, has half of the time at most.
type pushers struct {
	mu     sync.Mutex
	lost   map[action.UUID]losses
	askers map[string]asker
	holder action.UUID
	until  time.Time
	gap    time.Time     // before which no turn is given
	free   chan struct{} // closed when the holder has had its turn
}

type losses struct {
	running int       // requests with actions that ended in entries to fetch, one after the other
	turn    time.Time // when it last held the stream
}

// asker is whose clients lose: a principal at an address.
type asker struct {
	turn time.Time // the last one of any of its clients
	lost time.Time // when one of them last had a claim to one
}

const (
	lossesForTurn = 2
	turnLength    = 2 * time.Second
	turnGap       = time.Second
	turnEvery     = 10 * time.Second
	claimLife     = 5 * time.Second // for how long one who has a claim, and does not ask again, is waited for
	maxLosers     = 1024            // that are remembered
)

// lose takes note of a loss and gives the turn that the client has now, 0 for none.
func (p *pushers) lose(client action.UUID, whose string, atHead bool, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost == nil {
		p.lost, p.askers = map[action.UUID]losses{}, map[string]asker{}
	}
	if len(p.lost) >= maxLosers {
		for id, l := range p.lost {
			if now.Sub(l.turn) > turnEvery {
				delete(p.lost, id)
			}
		}
	}
	if len(p.askers) >= maxLosers {
		for name, a := range p.askers {
			if now.Sub(a.turn) > turnEvery && now.Sub(a.lost) > claimLife {
				delete(p.askers, name)
			}
		}
	}
	l, a := p.lost[client], p.askers[whose]
	l.running++
	give := false
	if l.running >= lossesForTurn && (l.turn.IsZero() || now.Sub(l.turn) >= turnEvery) {
		a.lost = now
		held := p.free != nil && now.Before(p.until)
		give = atHead && !held && !now.Before(p.gap) && !p.olderClaim(whose, a, now)
	}
	if give {
		l.turn, a.turn, a.lost = now, now, time.Time{}
		p.holder, p.until, p.free = client, now.Add(turnLength), make(chan struct{})
		p.gap = p.until.Add(turnGap)
	}
	p.lost[client], p.askers[whose] = l, a
	if !give {
		return 0
	}
	return turnLength
}

// olderClaim tells whether somebody else has waited longer for a turn.
func (p *pushers) olderClaim(whose string, a asker, now time.Time) bool {
	for name, other := range p.askers {
		if name != whose && other.turn.Before(a.turn) && now.Sub(other.lost) < claimLife {
			return true
		}
	}
	return false
}

// won forgets a client's losses, but not when it last held the stream.
func (p *pushers) won(client action.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l, known := p.lost[client]; known {
		l.running = 0
		p.lost[client] = l
	}
}

// answered ends the turn of a client that has asked again.
func (p *pushers) answered(client action.UUID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free != nil && p.holder == client {
		close(p.free)
		p.free, p.gap = nil, now.Add(turnGap)
	}
}

// held gives what to wait for before an append of the client: nil for nothing.
func (p *pushers) held(client action.UUID, now time.Time) (free <-chan struct{}, left time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free == nil || p.holder == client || !now.Before(p.until) {
		return nil, 0
	}
	return p.free, p.until.Sub(now)
}

// enter locks the stream, for a pusher once no other client has its turn, and not later than a time: a request waits once, whatever it is about.
func (s *Streams) enter(ctx context.Context, st *stream, client action.UUID, pusher bool, last time.Time) error {
	for {
		if pusher {
			if err := s.await(ctx, st, client, last); err != nil {
				return err
			}
		}
		st.lock(ctx)
		if free, _ := st.pushers.held(client, s.Now()); !pusher || free == nil {
			return nil
		}
		st.mu.Unlock() // somebody was given a turn while this one waited for the lock
		select {
		case <-s.Done:
			st.lock(ctx)
			return nil
		default:
		}
	}
}

var errHeld = web.Problem(action.CodeUnavailable, "", "it is another client's turn")

// await holds an append up while another client has its turn.
func (s *Streams) await(ctx context.Context, st *stream, client action.UUID, last time.Time) error {
	free, left := st.pushers.held(client, s.Now())
	if free == nil {
		return nil
	}
	if s.Hold != nil {
		return s.Hold(left)
	}
	if most := last.Sub(s.Now()); most <= 0 {
		return errHeld
	}
	work := web.WorkOf(ctx)
	work.Pause()
	t := time.NewTimer(min(left, last.Sub(s.Now())))
	defer t.Stop()
	select {
	case <-free:
	case <-t.C:
	case <-s.Done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return work.Resume(ctx)
}
