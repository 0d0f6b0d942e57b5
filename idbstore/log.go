//go:build js && wasm

package idbstore

import "syscall/js"

// scratch is the name of a database that is made to be deleted, and of the lock of the context that has done so.
const scratch = "strandline/log"

// renewLog makes Chromium begin a new log for the databases of the origin, once in the life of a browser: what a kill has left at the end of the
// last one is never written on behind. It does what it can: where the browser refuses, everything is as it would be without.
//
// Chromium's LevelDB writes a record's header and its body one after the other, and goes on with the log that it finds. A browser that is killed
// between the two leaves a header alone; what the next life writes behind it is taken for the body by the life after that, the checksum is wrong,
// and all databases of the origin are deleted. When any database is deleted, what the log holds is written into tables, and a new one begins.
func renewLog(indexedDB js.Value) {
	defer func() { _ = recover() }() // what is missing throws, and what is forbidden
	nothing := once(func(js.Value) any { return nil })
	navigator := js.Global().Get("navigator")
	brands := navigator.Get("userAgentData").Get("brands")
	for i := range brands.Length() {
		if brands.Index(i).Get("brand").String() == "Chromium" {
			navigator.Get("locks").Call("request", scratch, js.ValueOf(map[string]any{"ifAvailable": true}), once(func(lock js.Value) any {
				if lock.IsNull() {
					return nil // a context that is alive has done it
				}
				open := indexedDB.Call("open", scratch)
				open.Set("onsuccess", once(func(js.Value) any {
					open.Get("result").Call("close")
					indexedDB.Call("deleteDatabase", scratch)
					return nil
				}))
				return js.Global().Get("Promise").New(nothing) // held until this context ends
			})).Call("catch", once(func(js.Value) any { return nil }))
		}
	}
}

// once makes a function of one argument that is called once.
func once(f func(js.Value) any) js.Func {
	var self js.Func
	self = js.FuncOf(func(_ js.Value, args []js.Value) (answer any) {
		defer func() { _ = recover() }()
		self.Release()
		return f(args[0])
	})
	return self
}
