//go:build js && wasm

package idbstore

import (
	"errors"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core"
)

// frameMayHelp tells whether an open has failed with what WebKit says when the process that serves the page's databases is gone: it was
// answered, and the answer is no verdict on this database.
func frameMayHelp(err error) bool {
	var known *core.Error
	if err == nil || errors.As(err, &known) {
		return false
	}
	switch domName(err) {
	case "UnknownError", "InvalidStateError", "AbortError":
		return true
	}
	return false
}

// frameFactory gives the factory of a new frame of this page; nil where there is no page.
func frameFactory() (factory *idb.Factory) {
	defer func() {
		if recover() != nil { // a page that may have no frames
			factory = nil
		}
	}()
	document := js.Global().Get("document")
	if !document.Truthy() {
		return nil
	}
	frame := document.Call("createElement", "iframe")
	frame.Set("hidden", true)
	document.Get("documentElement").Call("append", frame)
	value := frame.Get("contentWindow").Get("indexedDB")
	if !value.Truthy() {
		frame.Call("remove")
		return nil
	}
	factory, _ = idb.WrapFactory(value)
	return factory
}
