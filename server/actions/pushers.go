package actions

import (
	"github.com/strandline-sync/strandline/server/web"

	"context"
	"sync"
	"time"

	"github.com/strandline-sync/strandline/core/action"
)

// pushers keeps anybody from losing for ever. A client that lost twice running with actions, and that has just been brought to the head,
// may hold the stream: until its next request other appends wait.
type pushers struct {
	mu     sync.Mutex
	lost   map[action.UUID]losses
	holder action.UUID
	until  time.Time
	free   chan struct{} // closed when the holder has had its turn
}

type losses struct {
	running int       // requests with actions that ended in entries to fetch, one after the other
	turn    time.Time // when it last held the stream
}

const (
	lossesForTurn = 2
	turnLength    = 2 * time.Second
	turnEvery     = 10 * time.Second
	maxLosers     = 1024 // that are remembered
)

// lose takes note of a loss and gives the turn that the client has now, 0 for none.
func (p *pushers) lose(client action.UUID, atHead bool, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost == nil {
		p.lost = map[action.UUID]losses{}
	}
	if len(p.lost) >= maxLosers {
		for id, l := range p.lost {
			if now.Sub(l.turn) > turnEvery {
				delete(p.lost, id)
			}
		}
	}
	l := p.lost[client]
	l.running++
	held := p.free != nil && now.Before(p.until)
	give := l.running >= lossesForTurn && atHead && !held && (l.turn.IsZero() || now.Sub(l.turn) >= turnEvery)
	if give {
		l.turn = now
		p.holder, p.until, p.free = client, now.Add(turnLength), make(chan struct{})
	}
	p.lost[client] = l
	if !give {
		return 0
	}
	return turnLength
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
func (p *pushers) answered(client action.UUID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.free != nil && p.holder == client {
		close(p.free)
		p.free = nil
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

// enter locks the stream, for a pusher once no other client has its turn.
func (s *Streams) enter(ctx context.Context, st *stream, client action.UUID, pusher bool) error {
	for {
		if pusher {
			if err := s.await(ctx, st, client); err != nil {
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

// await holds an append up while another client has its turn.
func (s *Streams) await(ctx context.Context, st *stream, client action.UUID) error {
	free, left := st.pushers.held(client, s.Now())
	if free == nil {
		return nil
	}
	if s.Hold != nil {
		return s.Hold(left)
	}
	work := web.WorkOf(ctx)
	work.Pause()
	t := time.NewTimer(left)
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
