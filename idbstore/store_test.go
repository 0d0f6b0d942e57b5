//go:build js && wasm

package idbstore_test

import (
	"context"
	_ "embed"
	"fmt"
	"runtime"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/storetest"
	"github.com/strandline-sync/strandline/idbstore"
)

//go:embed append.js
var appendJS string

// open opens with the function that the script gives.
func open(ctx context.Context, name string, o idbstore.Options) (*idbstore.Store, error) {
	text := strings.ReplaceAll(appendJS, "export ", "")
	o.Append = js.Global().Get("Function").New(text + "; return append").Invoke()
	o.Yield = func(f func()) func() {
		channel, called := js.Global().Get("MessageChannel").New(), js.Func{}
		called = js.FuncOf(func(js.Value, []js.Value) any { called.Release(); f(); return nil })
		channel.Get("port1").Set("onmessage", called)
		channel.Get("port2").Call("postMessage", nil)
		return func() {}
	}
	return idbstore.Open(ctx, name, o)
}

// A request that throws in a transaction which has ended already: its outcome is told once, and the next append goes on.
func TestAnAppendThatThrows(t *testing.T) {
	ctx := context.Background()
	s, err := open(ctx, newName(), idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Append(ctx, "s", 0, []byte("zero")); err != nil {
		t.Fatal(err)
	}
	store := js.Global().Get("IDBObjectStore").Get("prototype")
	for _, name := range []string{"add", "getAllKeys", "put"} {
		real := store.Get(name)
		store.Set(name, js.Global().Get("Function").New("real", "return function (...args) { this.transaction.abort(); return real.apply(this, args) }").Invoke(real))
		err := s.Append(ctx, "s", 1, []byte("one"), locallog.Shown{LSN: 1, Text: "{}"})
		store.Set(name, real)
		if action.CodeOf(err) != action.CodeStorage {
			t.Errorf("%s throws: %v", name, err)
		}
	}
	if err := s.Append(ctx, "s", 1, []byte("one")); err != nil {
		t.Errorf("and then: %v", err)
	}
	if err := s.Append(ctx, "s", 1, []byte("again")); err != locallog.ErrLost {
		t.Errorf("a second record 1: %v", err)
	}
}

// What is under way when the store is closed ends, with what has become of it.
func TestCloseDuringAnAppend(t *testing.T) {
	ctx, name := context.Background(), newName()
	s, err := open(ctx, name, idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- s.Append(ctx, "s", 0, []byte("zero")) }()
	for len(idbstore.Live(s)) == 0 {
		runtime.Gosched()
	}
	s.Close()
	stored := <-ended == nil
	again, err := open(ctx, name, idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	log, err := again.Load(ctx, "s", 0)
	if err != nil || (len(log.Records) == 1) != stored {
		t.Errorf("told %v, there are %d records (%v)", stored, len(log.Records), err)
	}
	if err := s.Append(ctx, "s", 1, []byte("one")); action.CodeOf(err) != action.CodeClosed {
		t.Errorf("after the end: %v", err)
	}
}

var serial int

func newName() string {
	serial++
	return fmt.Sprintf("test-%d-%d", time.Now().UnixNano(), serial)
}

func TestStore(t *testing.T) {
	for _, strict := range []bool{false, true} {
		t.Run(fmt.Sprintf("strict=%t", strict), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Open {
				name := newName()
				return func(t *testing.T) locallog.Store {
					s, err := open(context.Background(), name, idbstore.Options{Strict: strict})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { s.Close() })
					return showing{s, name}
				}
			})
		})
	}
}

// showing reads what is shown as the script does: past the store.
type showing struct {
	*idbstore.Store
	name string
}

func (s showing) Shown(stream string) (shown map[locallog.LSN]string, rows map[string]string) {
	shown, rows = map[locallog.LSN]string{}, map[string]string{}
	opening := js.Global().Get("indexedDB").Call("open", s.name)
	answer(opening)
	db := opening.Get("result")
	defer db.Call("close")
	store := db.Call("transaction", js.ValueOf([]any{"meta"})).Call("objectStore", "meta")
	all := js.Global().Get("IDBKeyRange").Call("bound", js.ValueOf([]any{stream, -1}), js.ValueOf([]any{stream, []any{[]any{}}}))
	keys, values := store.Call("getAllKeys", all), store.Call("getAll", all)
	answer(values)
	for i := range values.Get("result").Length() {
		at, value := keys.Get("result").Index(i).Index(1), values.Get("result").Index(i)
		switch at.Type() {
		case js.TypeNumber:
			shown[locallog.LSN(at.Int())] = value.String()
		case js.TypeObject:
			rows[at.Index(0).String()] = value.String()
		}
	}
	return shown, rows
}

func answer(request js.Value) {
	done := make(chan bool)
	f := js.FuncOf(func(js.Value, []js.Value) any { close(done); return nil })
	defer f.Release()
	request.Set("onsuccess", f)
	<-done
}

// The trap of the driver: an aborted transaction whose Await gives nil must never be told as saved.
func TestALostRaceIsNeverToldAsSaved(t *testing.T) {
	ctx := context.Background()
	name := newName()
	one, _ := open(ctx, name, idbstore.Options{})
	two, _ := open(ctx, name, idbstore.Options{})
	for lsn := range locallog.LSN(20) {
		if err := one.Append(ctx, "a", lsn, []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	// A tab that was frozen at lsn 5, and thawed: once with the records there, once with the old ones compacted away.
	if err := two.Append(ctx, "a", 6, []byte{2}); err != locallog.ErrLost {
		t.Fatalf("%v", err)
	}
	deleteRecords(t, name, "a", 19)
	if err := two.Append(ctx, "a", 6, []byte{2}); err != locallog.ErrLost {
		t.Fatalf("after compaction: %v", err)
	}
	if err := one.Append(ctx, "a", 20, []byte{1}); err != nil {
		t.Fatalf("the one that is up to date: %v", err)
	}
}

// deleteRecords takes away the records of a stream below an lsn, as a compaction will.
func deleteRecords(t *testing.T, name, stream string, below int) {
	t.Helper()
	done := make(chan error, 1)
	open := js.Global().Get("indexedDB").Call("open", name)
	open.Set("onsuccess", js.FuncOf(func(js.Value, []js.Value) any {
		tx := open.Get("result").Call("transaction", "records", "readwrite")
		rng := js.Global().Get("IDBKeyRange").Call("bound", []any{stream, 0}, []any{stream, below}, false, true)
		tx.Call("objectStore", "records").Call("delete", rng)
		tx.Set("oncomplete", js.FuncOf(func(js.Value, []js.Value) any { done <- nil; return nil }))
		return nil
	}))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// What the browser closes under us is opened again.
func TestAClosedConnectionIsOpenedAgain(t *testing.T) {
	ctx := context.Background()
	name := newName()
	s, err := open(ctx, name, idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx, "a", 0, []byte{1}); err != nil {
		t.Fatal(err)
	}
	idbstore.Disconnect(s)
	if err := s.Append(ctx, "a", 1, []byte{2}); err != nil {
		t.Fatalf("append: %v", err)
	}
	idbstore.Disconnect(s)
	if got, err := s.Load(ctx, "a", 0); err != nil || len(got.Records) != 2 {
		t.Fatalf("load: %v, %v", got, err)
	}
}

// However many calls find the connection closed, one other is opened: each more would block the deletion of the database.
func TestAClosedConnectionIsOpenedAgainOnce(t *testing.T) {
	ctx := context.Background()
	s, err := open(ctx, newName(), idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Append(ctx, "a", 0, []byte{1}); err != nil {
		t.Fatal(err)
	}
	factory := js.Global().Get("IDBFactory").Get("prototype")
	original, opened := factory.Get("open"), 0
	counting := js.FuncOf(func(this js.Value, args []js.Value) any {
		opened++
		list := make([]any, len(args))
		for i := range args {
			list[i] = args[i]
		}
		return original.Call("apply", this, list)
	})
	factory.Set("open", counting)
	defer func() {
		factory.Set("open", original)
		counting.Release()
	}()
	idbstore.Disconnect(s)
	errs := make(chan error)
	for range 5 {
		go func() {
			_, err := s.Load(ctx, "a", 0)
			errs <- err
		}()
	}
	for range 5 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if opened != 1 {
		t.Errorf("%d connections are opened", opened)
	}
	if err := s.Destroy(ctx, nil); err != nil {
		t.Error(err)
	}
}

// A stored value that is not ours is corrupt, not empty.
func TestForeignValuesAreCorrupt(t *testing.T) {
	ctx := context.Background()
	name := newName()
	s, _ := open(ctx, name, idbstore.Options{})
	if err := s.Append(ctx, "a", 0, []byte{1}); err != nil {
		t.Fatal(err)
	}
	done := make(chan bool, 1)
	open := js.Global().Get("indexedDB").Call("open", name)
	open.Set("onsuccess", js.FuncOf(func(js.Value, []js.Value) any {
		tx := open.Get("result").Call("transaction", "records", "readwrite")
		tx.Call("objectStore", "records").Call("put", "text", []any{"a", 0})
		tx.Set("oncomplete", js.FuncOf(func(js.Value, []js.Value) any { done <- true; return nil }))
		return nil
	}))
	<-done
	if _, err := s.Load(ctx, "a", 0); action.CodeOf(err) != action.CodeCorrupt {
		t.Fatalf("%v", err)
	}
}

// An open that is answered after its limit leaves no connection behind, which would be in the way of whoever deletes the database.
func TestALateOpenIsClosed(t *testing.T) {
	name := newName()
	indexedDB := js.Global().Get("indexedDB")
	released := make(chan struct{})
	begun := make(chan struct{}, 1)
	var keep js.Func
	first := indexedDB.Call("open", name, 1)
	keep = js.FuncOf(func(js.Value, []js.Value) any { // a transaction that is never without a request
		select {
		case <-released:
		default:
			first.Get("transaction").Call("objectStore", "x").Call("get", 1).Set("onsuccess", keep)
		}
		return nil
	})
	first.Set("onupgradeneeded", js.FuncOf(func(js.Value, []js.Value) any {
		db := first.Get("result")
		for _, store := range []string{"x", "records", "meta"} {
			db.Call("createObjectStore", store)
		}
		keep.Invoke()
		begun <- struct{}{}
		return nil
	}))
	first.Set("onsuccess", js.FuncOf(func(js.Value, []js.Value) any {
		first.Get("result").Call("close")
		return nil
	}))
	<-begun
	if s, err := open(context.Background(), name, idbstore.Options{Limit: 100 * time.Millisecond}); action.CodeOf(err) != action.CodeStorage {
		t.Fatalf("%v, %v", s, err)
	}
	close(released)
	opened := make(chan struct{}, 1)
	second := indexedDB.Call("open", name, 1) // behind the late one
	second.Set("onsuccess", js.FuncOf(func(js.Value, []js.Value) any {
		second.Get("result").Call("close")
		opened <- struct{}{}
		return nil
	}))
	<-opened
	deletion := make(chan string, 2)
	third := indexedDB.Call("deleteDatabase", name)
	for _, event := range []string{"success", "error", "blocked"} {
		third.Set("on"+event, js.FuncOf(func(js.Value, []js.Value) any { deletion <- event; return nil }))
	}
	if what := <-deletion; what != "success" {
		t.Fatal(what)
	}
}

// A database that was deleted under a store is not made anew by it: it would be there for ever, and nobody's.
func TestWhatWasDeletedIsNotMadeAnew(t *testing.T) {
	ctx := context.Background()
	name := newName()
	s, err := open(ctx, name, idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Append(ctx, "a", 0, []byte{0}); err != nil {
		t.Fatal(err)
	}
	indexedDB, happened := js.Global().Get("indexedDB"), make(chan js.Value, 1)
	told := js.FuncOf(func(_ js.Value, args []js.Value) any { happened <- args[0]; return nil })
	defer told.Release()
	deletion := indexedDB.Call("deleteDatabase", name)
	deletion.Set("onsuccess", told)
	<-happened
	if err := s.Append(ctx, "a", 1, []byte{1}); action.CodeOf(err) != action.CodeClosed {
		t.Errorf("append: %v", err)
	}
	if _, err := s.Load(ctx, "a", 0); action.CodeOf(err) != action.CodeClosed {
		t.Errorf("load: %v", err)
	}
	indexedDB.Call("databases").Call("then", told)
	list := <-happened
	for i := range list.Length() {
		if is := list.Index(i); is.Get("name").String() == name && is.Get("version").Int() > 0 { // WebKit lists what somebody has looked for
			t.Error("it is there again")
		}
	}
}

// A transaction that is never answered: an error, and no empty log.
func TestATransactionThatIsNotAnswered(t *testing.T) {
	ctx := context.Background()
	name := newName()
	s, err := open(ctx, name, idbstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Append(ctx, "a", 0, []byte{0}); err != nil {
		t.Fatal(err)
	}
	release := hold(t, name)
	idbstore.Impatient(s, 100*time.Millisecond)
	stored := func(what string, err error) {
		t.Helper()
		if action.CodeOf(err) != action.CodeStorage {
			t.Errorf("%s: %v", what, err)
		}
	}
	stored("append", s.Append(ctx, "a", 1, []byte{1}))
	_, err = s.Load(ctx, "a", 0)
	stored("load", err)
	_, err = s.Load(ctx, "a", 1)
	stored("catch up", err)
	_, err = s.Manifest(ctx, "a")
	stored("manifest", err)
	_, err = s.Streams(ctx)
	stored("streams", err)
	release()
	idbstore.Impatient(s, 10*time.Second)
	log, err := s.Load(ctx, "a", 0) // the append was taken back: its guard would not have been asked
	if err != nil || len(log.Records) != 1 {
		t.Errorf("%d records, %v", len(log.Records), err)
	}
}

// hold keeps a transaction over all of a database until it is released.
func hold(t *testing.T, name string) (release func()) {
	t.Helper()
	held, begun, ended := true, make(chan struct{}, 1), make(chan struct{}, 1)
	open := js.Global().Get("indexedDB").Call("open", name)
	open.Set("onsuccess", js.FuncOf(func(js.Value, []js.Value) any {
		db := open.Get("result")
		tx := db.Call("transaction", []any{"records", "meta"}, "readwrite")
		var again js.Func
		again = js.FuncOf(func(js.Value, []js.Value) any {
			if held {
				tx.Call("objectStore", "meta").Call("get", 1).Set("onsuccess", again)
			}
			return nil
		})
		again.Invoke()
		tx.Set("oncomplete", js.FuncOf(func(js.Value, []js.Value) any {
			db.Call("close")
			ended <- struct{}{}
			return nil
		}))
		begun <- struct{}{}
		return nil
	}))
	<-begun
	return func() { held = false; <-ended }
}
