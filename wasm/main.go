//go:build js && wasm

// The program that runs in the browser: the core over IndexedDB and fetch.
//
// The page's script sets a host object under a name of its own and passes that name as the first argument. main puts
// its cold functions on that object (open, stream, … : they take callbacks) and the script calls the hot ones as wasm exports, over one
// buffer of bytes in linear memory (exports.go). User data crosses as JSON text only.
//
// All of the core runs on the one thread that there is: a goroutine that waits holds nothing of it.
package main

import (
	"io"
	"log"
	"os"
	"syscall/js"
)

// host is the script's object: what it hears, and where the cold functions are.
var host js.Value

// stamp names the build; the build puts it in. The script refuses the program of another one.
var stamp string

func main() {
	if len(os.Args) < 2 {
		panic("strandline: no host was named")
	}
	log.SetOutput(io.Discard) // go-indexeddb tells there of what is no news: that another tab deletes the database
	host = js.Global().Get(os.Args[1])
	cold("pump", pump)
	cold("open", openDatabase)
	cold("stream", openStream)
	cold("closeStream", closeStream)
	cold("close", closeDatabase)
	cold("destroy", destroyDatabase)
	cold("lacking", lacking)
	cold("settled", settled)
	cold("persisted", persisted)
	cold("discard", discard)
	cold("repair", repair)
	cold("inOrder", inOrder)
	cold("sync", syncNow)
	cold("entryDurable", entryDurable)
	cold("hear", hear)
	cold("answered", answered)
	cold("hinted", hinted)
	cold("hintsEnded", hintsEnded)
	cold("data", openData)
	cold("closeData", closeData)
	cold("queued", queued)
	cold("worked", worked)
	cold("gone", gone)
	cold("lead", lead)
	cold("freeze", freeze)
	cold("trace", trace)
	cold("wake", wake)
	cold("offline", offline)
	cold("streams", listStreams)
	cold("bundle", bundleStream)
	host.Call("ready", stamp)
	select {} // the exports and the callbacks are the program
}

// cold registers a function that the script calls. It must not block: it starts what it has to wait for.
func cold(name string, f func(args []js.Value)) {
	host.Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any {
		defer report("a call of " + name)
		if !dead {
			f(args)
		}
		return nil
	}))
}
