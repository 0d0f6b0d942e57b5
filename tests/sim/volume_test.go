package sim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog/memstore"
)

// Ten thousand actions that were written without a network go out, while as many rows of others come in.
func TestTenThousandPending(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	a.net.fault = func(int) fate { return lostBefore }
	const many = 10_000
	for n := range many {
		a.write(create(n, `{"n":1}`))
		if n%100 == 0 {
			w.Run(10)
		}
	}
	for n := range 1_000 {
		b.write(create(many+n, `{"n":2}`))
	}
	w.Run(minute)
	if a.Unsent() != many {
		t.Fatalf("%d are unsent", a.Unsent())
	}
	a.net.fault = nil
	w.Run(10 * minute)
	if a.Unsent() > 0 || a.State().Len() != many+1_000 {
		t.Fatalf("%d are unsent, %d objects: %+v", a.Unsent(), a.State().Len(), a.Status())
	}
	w.converged(a, b)
}

// Actions up to the limits: a thousand ops, 256 KiB, an object of a megabyte in parts; what is over them is refused at the call.
func TestActionsUpToTheLimits(t *testing.T) {
	w := newWorld(t, 1)
	a, b := w.open(memstore.New()), w.open(memstore.New())
	w.Run(1000)
	made := 0
	for round := range 6 {
		var ops []string
		for n := range 1_000 {
			ops = append(ops, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{}}`, object(1000*round+n)))
			made++
		}
		a.write("[" + strings.Join(ops, ",") + "]")
	}
	for n, size := range []int{100 << 10, 200 << 10, 255 << 10} {
		a.write(create(90_000+n, `{"text":"`+strings.Repeat("x", size)+`"}`))
		made++
	}
	for n := range 5 {
		a.write(set(90_000, fmt.Sprintf(`{"part%d":"%s"}`, n, strings.Repeat("y", 150<<10))))
	}
	if _, err := a.try(create(99_999, `{"text":"`+strings.Repeat("x", 257<<10)+`"}`)); err == nil {
		t.Error("an action over the limit is taken")
	}
	w.Run(20 * minute)
	if a.Unsent() > 0 || b.State().Len() != made || a.Status().Rejected > 0 {
		t.Errorf("%d are unsent, %d of %d objects arrived: %+v", a.Unsent(), b.State().Len(), made, a.Status())
	}
	w.converged(a, b)
}
