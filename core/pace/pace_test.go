package pace

import (
	"slices"
	"testing"
)

// Work stands still where its slice is used up, and goes on from there.
func TestWorkIsDoneInSlices(t *testing.T) {
	p := New(10)
	var did []int
	work := func() {
		for n := range 7 {
			did = append(did, n)
			p.Took(4)
		}
	}
	if p.Begin(work) || !p.Working() || !slices.Equal(did, []int{0, 1, 2}) {
		t.Fatalf("the first slice has done %v", did)
	}
	if p.GoOn() || !slices.Equal(did, []int{0, 1, 2, 3, 4, 5}) {
		t.Fatalf("the second slice has come to %v", did)
	}
	if !p.GoOn() || p.Working() || len(did) != 7 {
		t.Fatalf("the third slice has come to %v", did)
	}
}

// Finish does the rest at once, however much it is.
func TestFinish(t *testing.T) {
	p := New(1)
	did := 0
	if p.Begin(func() {
		for range 1000 {
			did++
			p.Took(1)
		}
	}) {
		t.Fatal("it is done with its first slice")
	}
	if p.Finish(); did != 1000 || p.Working() {
		t.Fatalf("%d are done", did)
	}
}

// What takes no time needs one slice, and work that is not cut may count as well.
func TestShortWork(t *testing.T) {
	p := New(10)
	if !p.Begin(func() { p.Took(9) }) || p.Working() {
		t.Error("it is not done")
	}
	p.Took(1000)
	var none *Pace
	none.Took(1000)
}

// A panic of the work comes out where the slice was asked for.
func TestPanics(t *testing.T) {
	p := New(10)
	p.Begin(func() { p.Took(10); panic("here") })
	defer func() {
		if r := recover(); r != "here" {
			t.Errorf("it panics with %v", r)
		}
	}()
	p.GoOn()
}
