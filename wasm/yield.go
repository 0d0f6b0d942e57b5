//go:build js && wasm

package main

import "syscall/js"

// yield runs f in a task of its own, after what the browser has to do now. A Go timer of no time would run within this
// task, and setTimeout is held back when nested (4 ms) or hidden (1 s); a message to oneself is neither.
func yield(f func()) (cancel func()) {
	if port.IsUndefined() {
		channel := js.Global().Get("MessageChannel").New()
		channel.Get("port1").Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
			defer report("a step")
			next := yielded[0]
			yielded = yielded[1:]
			if *next != nil && !dead {
				(*next)()
			}
			return nil
		}))
		port = channel.Get("port2")
	}
	yielded = append(yielded, &f)
	port.Call("postMessage", nil)
	return func() { f = nil }
}

var (
	port    js.Value // what is sent here comes back as a task
	yielded []*func()
)
