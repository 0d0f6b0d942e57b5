package web

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Hundreds of connections ask all the time, for much; one asks now and then, for little. It is first each time, though they came before it: it waits for what is
// running, and for nobody's backlog.
func TestWhoAsksNowAndThenIsFirst(t *testing.T) {
	for _, c := range []struct {
		name    string
		healthy Asker
	}{
		{"another principal", Asker{"healthy", "1", "1"}},
		{"another address", Asker{"all", "healthy", "1"}},
		{"another connection of the same address", Asker{"all", "1", "healthy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const processors, piece = 2, 20 * time.Millisecond
				g := NewGate(processors)
				ctx, cancel := context.WithCancel(t.Context())
				var all sync.WaitGroup
				for i := range 300 {
					all.Go(func() {
						for ctx.Err() == nil {
							_, w := g.Begin(ctx, Asker{"all", "1", fmt.Sprint(i)})
							w.Expect(piece)
							if w.Resume(ctx) == nil {
								time.Sleep(piece)
							}
							w.End()
						}
					})
				}
				time.Sleep(time.Second)
				for range 100 {
					began := time.Now()
					_, w := g.Begin(ctx, c.healthy)
					if err := w.Resume(ctx); err != nil {
						t.Error(err)
					}
					if waited := time.Since(began); waited > piece {
						t.Errorf("it waited for %v", waited)
						break
					}
					time.Sleep(time.Millisecond)
					w.End()
					time.Sleep(400 * time.Millisecond) // less than its share
				}
				cancel()
				all.Wait()
			})
		})
	}
}

// Two principals share alike, however many connections one of them has.
func TestPrincipalsShareAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(1)
		ctx, cancel := context.WithCancel(t.Context())
		var had [2]atomic.Int64
		var all sync.WaitGroup
		for i := range 101 {
			of := min(i, 1)
			all.Go(func() {
				for ctx.Err() == nil {
					_, w := g.Begin(ctx, Asker{fmt.Sprint(of), "1", fmt.Sprint(i)})
					if w.Resume(ctx) == nil {
						time.Sleep(10 * time.Millisecond)
						had[of].Add(1)
					}
					w.End()
				}
			})
		}
		time.Sleep(20 * time.Second)
		cancel()
		all.Wait()
		if a, b := had[0].Load(), had[1].Load(); a < 900 || b < 900 {
			t.Errorf("%d and %d", a, b)
		}
	})
}

// No more run than there are processors; whoever gives up leaves nothing behind.
func TestAGateIsLeftAsItWas(t *testing.T) {
	g := NewGate(3)
	var running, most atomic.Int64
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*time.Millisecond)
			defer cancel()
			_, w := g.Begin(ctx, Asker{fmt.Sprint(i % 3), fmt.Sprint(i % 5), fmt.Sprint(i)})
			for range 5 {
				if w.Resume(ctx) != nil {
					break
				}
				most.Store(max(most.Load(), running.Add(1)))
				runtime.Gosched()
				time.Sleep(time.Millisecond)
				running.Add(-1)
				w.Pause()
			}
			w.End()
		})
	}
	all.Wait()
	if g.free != 3 || g.root.users != 0 || g.root.waiters != 0 || most.Load() > 3 {
		t.Errorf("%d free, %d users, %d waiting, %d at most", g.free, g.root.users, g.root.waiters, most.Load())
	}
}

// A pool is never given out twice, goes first to who holds least, and is whole at the end.
func TestAPool(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewMemory(1 << 20)
		big, err := p.Take(t.Context(), Asker{"a", "1", "1"}, 500<<10)
		if err != nil {
			t.Fatal(err)
		}
		other, err := p.Take(t.Context(), Asker{"c", "1", "1"}, 900<<10) // half of it is the most
		if err != nil || other.bytes != 512<<10 {
			t.Fatal(other, err)
		}
		if little, err := p.Take(t.Context(), Asker{"b", "1", "1"}, littleBytes); err != nil || little.bytes != 0 {
			t.Fatal("what is little waits", err)
		}
		order := make(chan string, 2)
		var all sync.WaitGroup
		for i, who := range []string{"a", "b"} { // a came first, and holds something
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Second)
				h, err := p.Take(t.Context(), Asker{who, "1", "2"}, 400<<10)
				order <- who
				if err == nil {
					time.Sleep(time.Second)
					h.End()
				}
			})
		}
		time.Sleep(3 * time.Second)
		other.End()
		if first := <-order; first != "b" {
			t.Errorf("%s is first", first)
		}
		<-order
		big.End()
		all.Wait()
		if p.free != p.size || len(p.held[0]) > 0 {
			t.Errorf("%d of %d, %v", p.free, p.size, p.held)
		}
		// Who waits too long hears so, and nothing stays behind.
		half, _ := p.Take(t.Context(), Asker{"a"}, 1<<19)
		more, _ := p.Take(t.Context(), Asker{"a"}, 1<<19)
		if _, err := p.Take(t.Context(), Asker{"b"}, 1<<19); err == nil {
			t.Error("it was given twice")
		}
		half.End()
		more.End()
		if p.free != p.size || len(p.waiting) > 0 {
			t.Errorf("%d of %d, %d waiting", p.free, p.size, len(p.waiting))
		}
	})
}
