package enginetest

import (
	"context"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// runUses looks at what is counted of principals, and that one that is forgotten stands nowhere.
func runUses(t *testing.T, open func(t *testing.T) engine.Engine) {
	ctx := context.Background()
	e := open(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(who string, want engine.Use) {
		t.Helper()
		got, err := e.Use(ctx, who)
		must(err)
		if got != want {
			t.Errorf("%s: %+v, want %+v", who, got, want)
		}
	}
	epoch := action.UUID{1}
	by := func(who string, raws ...string) (out []engine.Entry) {
		for _, raw := range raws {
			out = append(out, engine.Entry{By: who, Raw: raw})
		}
		return out
	}
	want("ada", engine.Use{})
	must(e.Append(ctx, "a", epoch, 0, append(by("ada", "12345", "ö"), by("bob", "123")...)))
	must(e.Append(ctx, "b", epoch, 0, append(by("bob", "1"), by("", "ignored")...)))
	if err := e.Append(ctx, "a", epoch, 1, by("ada", "a conflict counts nothing")); err == nil {
		t.Error("no conflict")
	}
	var d *engine.DataStream
	must(e.UpdateData(ctx, func(tx engine.DataTx) error {
		d = &engine.DataStream{Name: "d", By: "ada", Head: 2, Tail: 9, Meta: []byte("{}")}
		if err := tx.CreateData(d); err != nil {
			return err
		}
		return tx.AppendData(d.ID, []engine.DataEntry{{Index: 1, End: 4, Size: 4, By: "ada", Body: []byte("1234")}, {Index: 2, End: 9, Size: 5, By: "bob", Body: []byte("12345")}})
	}))
	for i, part := range []string{"123", "45"} {
		must(e.UpdateData(ctx, func(tx engine.DataTx) error {
			u := engine.Upload{Entry: action.UUID{7}}
			if i > 0 {
				known, err := tx.Upload(d.ID, "ada\x00p")
				if err != nil {
					return err
				}
				u = *known
			}
			return tx.PutUpload(d.ID, "ada\x00p", u, []byte(part))
		}))
	}
	want("ada", engine.Use{Streams: 2, Bytes: 7, Data: 4, Parts: 5})
	want("bob", engine.Use{Streams: 1, Bytes: 4, Data: 5})
	want("", engine.Use{})
	for _, who := range []string{"ada", "bob"} {
		id := action.UUID{15: who[0]}
		owner, err := e.Claim(ctx, id, who)
		must(err)
		if owner != who {
			t.Errorf("%s claims %s's", who, owner)
		}
	}
	owners := []byte(`{"00000000-0000-4000-8000-000000000001":"ada","00000000-0000-4000-8000-000000000002":"bob"}`)
	must(e.PutCheckpoint(ctx, "a", &engine.Checkpoint{Index: 2, Epoch: epoch, Packed: []byte("x"), Owners: owners, Leases: []byte("{}")}, 2))
	want("ada", engine.Use{Streams: 2, Bytes: 2, Data: 4, Parts: 5})                                                                                // its first entry is forgotten
	must(e.PutCheckpoint(ctx, "a", &engine.Checkpoint{Index: 2, Epoch: epoch, Packed: []byte("another"), Owners: owners, Leases: []byte("{}")}, 2)) // it stands
	if c, err := e.Checkpoint(ctx, "a", 2); err != nil || string(c.Packed) != "x" {
		t.Errorf("%+v, %v", c, err)
	}
	must(e.Forget(ctx, "ada"))
	must(e.Forget(ctx, "ada")) // again: there is nothing left to do
	want("ada", engine.Use{})
	want("bob", engine.Use{Streams: 1, Bytes: 4, Data: 5})
	entries, err := e.Read(ctx, "a", 1, 10, 1<<20)
	must(err)
	if len(entries) != 2 || entries[0].By != "" || entries[1].By != "bob" || entries[0].Raw != "ö" {
		t.Errorf("%+v", entries)
	}
	c, err := e.Checkpoint(ctx, "a", 2)
	must(err)
	if strings.Contains(string(c.Owners), "ada") || !strings.Contains(string(c.Owners), "bob") {
		t.Errorf("%s", c.Owners)
	}
	must(e.ViewData(ctx, func(tx engine.DataTx) error {
		got, err := tx.ReadData(d.ID, 0, 10, 1<<20, 1<<20)
		if err != nil || len(got) != 2 || got[0].By != "" || got[1].By != "bob" {
			t.Errorf("%+v, %v", got, err)
		}
		stream, err := tx.DataStream("d")
		if err != nil || stream.By != "" {
			t.Errorf("%+v, %v", stream, err)
		}
		return err
	}))
	for _, who := range []string{"ada", "eve"} { // what was claimed is nobody's, and is not taken over
		if owner, err := e.Claim(ctx, action.UUID{15: 'a'}, who); err != nil || owner != engine.Nobody {
			t.Errorf("%q, %v", owner, err)
		}
	}
	for _, nobody := range []string{"", engine.Nobody} {
		if err := e.Forget(ctx, nobody); err == nil {
			t.Errorf("%q is forgotten", nobody)
		}
	}
	if is, err := e.Deleted(ctx, epoch); err != nil || is {
		t.Errorf("%v, %v", is, err)
	}
	must(e.Append(ctx, "c", action.UUID{3}, 0, by("bob", "1")))
	must(e.Delete(ctx, "c"))
	if is, err := e.Deleted(ctx, action.UUID{3}); err != nil || !is {
		t.Errorf("%v, %v", is, err)
	}
	must(e.Delete(ctx, "b"))
	if u, err := e.Use(ctx, "bob"); err != nil || u.Streams != 0 {
		t.Errorf("%+v, %v", u, err)
	}
}
