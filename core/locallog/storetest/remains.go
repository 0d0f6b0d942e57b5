package storetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/strandline-sync/strandline/core/locallog"
)

// remains tests that a store gives whatever there is of a stream.
func remains(t *testing.T, s locallog.Store) {
	ctx := context.Background()
	if r, err := s.Remains(ctx, "a"); err != nil || r.Manifest != nil || len(r.Pages)+len(r.Records) > 0 {
		t.Fatalf("of nothing: %+v, %v", r, err)
	}
	for _, stream := range []string{"a", "ab"} {
		for i := range 10 {
			if err := s.Append(ctx, stream, locallog.LSN(i), []byte(fmt.Sprint(stream, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	one := checkpoint(6, nil, nil, "6-0", "6-1", "~6-2")
	one.Spare = []byte("spare of six")
	two := checkpoint(8, one.Manifest, []string{"6-1"}, "8-0")
	two.Spare = []byte("spare of eight")
	for _, c := range []*locallog.Checkpoint{one, two} {
		if err := s.Checkpoint(ctx, "a", c); err != nil {
			t.Fatal(err)
		}
	}
	r, err := s.Remains(ctx, "a")
	if err != nil || !bytes.Equal(r.Manifest, two.Manifest) || string(r.Spare) != "spare of eight" {
		t.Fatalf("%+v, %v", r, err)
	}
	var names []string
	for _, p := range r.Pages {
		names = append(names, p.Name+": "+string(p.Bytes))
	}
	slices.Sort(names)
	if got := fmt.Sprint(names); got != "[6-0: page 6-0 8-0: page 8-0 ~6-2: page ~6-2]" {
		t.Errorf("pages %s", got)
	}
	if got := r.Records; len(got) != 2 || got[0].LSN != 8 || got[1].LSN != 9 || string(got[1].Bytes) != "a9" {
		t.Errorf("records %+v", got)
	}
}

// checkpoint is one of some pages, which names them all as its rest.
func checkpoint(lsn locallog.LSN, base []byte, drop []string, pages ...string) *locallog.Checkpoint {
	c := &locallog.Checkpoint{LSN: lsn, Base: base, Drop: drop}
	for _, name := range pages {
		c.Pages = append(c.Pages, locallog.Page{Name: name, Bytes: []byte("page " + name)})
	}
	c.Manifest = (&locallog.Manifest{LSN: lsn, Rest: pages}).Encode()
	return c
}
