package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// runData holds an engine to engine.DataEngine.
func runData(t *testing.T, open func(t *testing.T) engine.Engine) {
	ctx := context.Background()
	update := func(t *testing.T, e engine.Engine, do func(tx engine.DataTx)) {
		t.Helper()
		if err := e.UpdateData(ctx, func(tx engine.DataTx) error { do(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	view := func(t *testing.T, e engine.Engine, do func(tx engine.DataTx)) {
		t.Helper()
		if err := e.ViewData(ctx, func(tx engine.DataTx) error { do(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	create := func(t *testing.T, e engine.Engine, name string, source uint64) *engine.DataStream {
		t.Helper()
		d := &engine.DataStream{Name: name, Source: source, Meta: []byte("{}")}
		update(t, e, func(tx engine.DataTx) { must(tx.CreateData(d)) })
		return d
	}
	// add appends entries of these sizes.
	add := func(t *testing.T, e engine.Engine, d *engine.DataStream, sizes ...int) {
		t.Helper()
		update(t, e, func(tx engine.DataTx) {
			var out []engine.DataEntry
			for _, n := range sizes {
				d.Head++
				d.Tail += uint64(n)
				out = append(out, engine.DataEntry{Index: d.Head, End: d.Tail, Size: int64(n), ID: action.UUID{15: byte(d.Head)}, Stored: 7, By: "me", Body: bytes.Repeat([]byte{byte(d.Head)}, n)})
			}
			must(tx.AppendData(d.ID, out))
			must(tx.PutData(d))
		})
	}

	t.Run("DataStreamsAreWhatWasPut", func(t *testing.T) {
		e := open(t)
		a := create(t, e, "a", 0)
		b := create(t, e, "b", a.ID)
		if a.ID == 0 || b.ID <= a.ID {
			t.Fatalf("ids %d and %d do not rise", a.ID, b.ID)
		}
		a.Deleted, a.Expires, a.Meta, a.Head, a.Tail = true, 55, []byte("x"), 3, 9
		update(t, e, func(tx engine.DataTx) { must(tx.PutData(a)) })
		view(t, e, func(tx engine.DataTx) {
			for _, get := range []func() (*engine.DataStream, error){func() (*engine.DataStream, error) { return tx.DataStream("a") }, func() (*engine.DataStream, error) { return tx.DataStreamAt(a.ID) }} {
				if d, err := get(); err != nil || fmt.Sprint(*d) != fmt.Sprint(*a) {
					t.Errorf("%+v, %v", d, err)
				}
			}
			if d, err := tx.DataStream("c"); d != nil || err != nil {
				t.Errorf("%+v, %v", d, err)
			}
			if n, err := tx.DataForks(a.ID); n != 1 || err != nil {
				t.Errorf("%d forks, %v", n, err)
			}
			if names, err := tx.DataExpired(54, 10); err != nil || len(names) != 0 {
				t.Errorf("%v, %v", names, err)
			}
			if names, err := tx.DataExpired(55, 10); err != nil || len(names) != 1 || names[0] != "a" {
				t.Errorf("%v, %v", names, err)
			}
		})
	})
	t.Run("DataEntriesAreReadInOrder", func(t *testing.T) {
		e := open(t)
		d, other := create(t, e, "a", 0), create(t, e, "b", 0)
		add(t, e, d, 1, 100, 3)
		add(t, e, other, 5)
		add(t, e, d, 4)
		view(t, e, func(tx engine.DataTx) {
			for _, c := range []struct {
				after                  uint64
				limit, maxBytes, inner int
				want                   string
			}{
				{0, 10, 1000, 1000, "1:1:1 2:101:100 3:104:3 4:108:4 "},
				{2, 10, 1000, 1000, "3:104:3 4:108:4 "},
				{0, 2, 1000, 1000, "1:1:1 2:101:100 "},
				{1, 10, 50, 1000, "2:101:100 "},
				{0, 10, 6, 50, "1:1:1 2:101:- 3:104:3 "},
				{4, 10, 1000, 1000, ""},
			} {
				got := ""
				entries, err := tx.ReadData(d.ID, c.after, c.limit, c.maxBytes, c.inner)
				must(err)
				for _, en := range entries {
					body := fmt.Sprint(len(en.Body))
					if en.Body == nil {
						body = "-"
					}
					got += fmt.Sprintf("%d:%d:%s ", en.Index, en.End, body)
					if en.By != "me" || en.Stored != 7 || en.ID[15] != byte(en.Index) || en.Body != nil && en.Body[0] != byte(en.Index) {
						t.Errorf("%+v", en)
					}
				}
				if got != c.want {
					t.Errorf("%+v: %q", c, got)
				}
			}
			if b, err := tx.DataBytes(d.ID, 2, 90, 50); err != nil || len(b) != 10 || b[0] != 2 {
				t.Errorf("%v, %v", b, err)
			}
			if i, err := tx.FindData(d.ID, action.UUID{15: 3}); err != nil || i != 3 {
				t.Errorf("%d, %v", i, err)
			}
			if i, err := tx.FindData(other.ID, action.UUID{15: 3}); err != nil || i != 0 {
				t.Errorf("%d, %v", i, err)
			}
		})
	})
	t.Run("UploadsBecomeEntries", func(t *testing.T) {
		e := open(t)
		d := create(t, e, "a", 0)
		whole := []byte("0123456789abcdef")
		upload := func(producer string) (u *engine.Upload) {
			view(t, e, func(tx engine.DataTx) {
				var err error
				u, err = tx.Upload(d.ID, producer)
				must(err)
			})
			return u
		}
		if upload("p") != nil {
			t.Fatal("there is one already")
		}
		put := func(producer string, u engine.Upload, part []byte) {
			update(t, e, func(tx engine.DataTx) { must(tx.PutUpload(d.ID, producer, u, part)) })
		}
		put("p", engine.Upload{Epoch: 1, Seq: 2, Entry: action.UUID{1}, At: 10}, []byte("to be begun anew"))
		put("p", engine.Upload{Epoch: 1, Seq: 3, Entry: action.UUID{2}, At: 20}, whole[:7])
		put("q", engine.Upload{Epoch: 1, Seq: 3, Entry: action.UUID{3}, At: 5}, []byte("another"))
		u := upload("p")
		if u == nil || u.Size != 7 || u.Seq != 3 || u.Entry != (action.UUID{2}) || u.At != 20 {
			t.Fatalf("%+v", u)
		}
		put("p", *u, whole[7:])
		u = upload("p")
		update(t, e, func(tx engine.DataTx) {
			d.Head, d.Tail = 1, uint64(len(whole))
			must(tx.AppendData(d.ID, []engine.DataEntry{{Index: 1, End: d.Tail, Size: u.Size, ID: u.Entry, Upload: u.ID}}))
			must(tx.PutData(d))
		})
		if upload("p") != nil || upload("q") == nil {
			t.Fatal("what became an entry is an upload, or the other is none")
		}
		update(t, e, func(tx engine.DataTx) { must(tx.DropUploads(1000)) })
		if upload("q") != nil {
			t.Fatal("it was not dropped")
		}
		view(t, e, func(tx engine.DataTx) {
			for from := range whole {
				if b, err := tx.DataBytes(d.ID, 1, int64(from), 9); err != nil || string(b) != string(whole[from:min(len(whole), from+9)]) {
					t.Errorf("from %d: %q, %v", from, b, err)
				}
			}
			if en, err := tx.ReadData(d.ID, 0, 1, 100, 100); err != nil || string(en[0].Body) != string(whole) {
				t.Errorf("%v, %v", en, err)
			}
		})
	})
	t.Run("ProducersAreKept", func(t *testing.T) {
		e := open(t)
		d := create(t, e, "a", 0)
		for _, p := range []engine.Producer{{Epoch: 0, Seq: 0}, {Epoch: 0, Seq: 1}, {Epoch: 1<<53 - 1, Seq: 0}} {
			update(t, e, func(tx engine.DataTx) { must(tx.PutProducer(d.ID, "me\x00p", p)) })
			view(t, e, func(tx engine.DataTx) {
				if got, err := tx.Producer(d.ID, "me\x00p"); err != nil || *got != p {
					t.Errorf("%+v, %v", got, err)
				}
				if got, err := tx.Producer(d.ID, "p"); err != nil || got != nil {
					t.Errorf("%+v, %v", got, err)
				}
			})
		}
	})
	t.Run("ARemovedDataStreamIsGone", func(t *testing.T) {
		e := open(t)
		d := create(t, e, "a", 0)
		sizes := make([]int, 600)
		for i := range sizes {
			sizes[i] = 1
		}
		add(t, e, d, sizes...)
		update(t, e, func(tx engine.DataTx) {
			must(tx.PutProducer(d.ID, "p", engine.Producer{}))
			must(tx.PutUpload(d.ID, "p", engine.Upload{}, []byte("x")))
		})
		update(t, e, func(tx engine.DataTx) { must(tx.RemoveData(d)) })
		again := create(t, e, "a", 0)
		if again.ID <= d.ID {
			t.Fatalf("the id %d is used again: %d", d.ID, again.ID)
		}
		view(t, e, func(tx engine.DataTx) {
			if en, err := tx.ReadData(again.ID, 0, 10, 100, 100); len(en) > 0 || err != nil {
				t.Errorf("%v, %v", en, err)
			}
			if old, err := tx.DataStreamAt(d.ID); err != nil || old != nil {
				t.Errorf("%+v, %v", old, err)
			}
		})
	})
	t.Run("ARefusalIsGivenBackAndOthersGoOn", func(t *testing.T) {
		e := open(t)
		d := create(t, e, "a", 0)
		refused := errors.New("no")
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				err := e.UpdateData(ctx, func(tx engine.DataTx) error {
					now, err := tx.DataStreamAt(d.ID)
					must(err)
					if i%2 == 1 {
						return refused
					}
					now.Head++
					now.Tail++
					must(tx.AppendData(d.ID, []engine.DataEntry{{Index: now.Head, End: now.Tail, Size: 1, Body: []byte{1}}}))
					return tx.PutData(now)
				})
				if i%2 == 1 != errors.Is(err, refused) {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		all.Wait()
		view(t, e, func(tx engine.DataTx) {
			en, err := tx.ReadData(d.ID, 0, 100, 1000, 1000)
			if err != nil || len(en) != 32 || en[31].Index != 32 {
				t.Errorf("%d entries, %v", len(en), err)
			}
		})
	})
	t.Run("AClosedEngineRefusesData", func(t *testing.T) {
		e := open(t)
		must(e.Close())
		none := func(engine.DataTx) error { t.Error("it ran"); return nil }
		if e.UpdateData(ctx, none) == nil || e.ViewData(ctx, none) == nil {
			t.Fatal("it answered")
		}
	})
}
