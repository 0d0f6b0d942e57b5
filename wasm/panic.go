//go:build js && wasm

package main

import (
	"fmt"
	"runtime/debug"
)

// dead says that something panicked: what is in memory cannot be trusted any more, so every export refuses, and no timer, step, answer or
// event goes on. Else a half-made turn could be written as a checkpoint.
var dead bool

// report, deferred, makes a panic known to the script. Nothing goes on after it.
func report(where string) {
	if r := recover(); r != nil {
		fatal(where, r)
	}
}

func fatal(where string, r any) {
	if dead {
		return
	}
	dead = true
	host.Call("panicked", where+": "+fmt.Sprint(r), string(debug.Stack()))
}
