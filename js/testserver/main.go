//go:build js && wasm

// Command testserver is the sync server over its memory engine, in a page or in Node: strandline/test runs it. It is the server as it is, asked
// by function calls instead of over a network.
package main

import (
	"os"
	"syscall/js"
)

func main() {
	if len(os.Args) < 2 {
		panic("strandline: no host was named")
	}
	host := js.Global().Get(os.Args[1])
	host.Set("create", js.FuncOf(func(_ js.Value, args []js.Value) any { return create(args[0]) }))
	host.Call("ready")
	select {} // the callbacks are the program
}
