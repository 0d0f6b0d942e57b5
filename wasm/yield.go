//go:build js && wasm

package main

import "syscall/js"

// yield runs f in a task of its own, after what the browser has to do now. A Go timer of no time would run within this
// task, and setTimeout is held back when nested (4 ms) or hidden (1 s); a message to oneself is neither.
func yield(f func()) (cancel func()) {
	if port.IsUndefined() {
		channel := js.Global().Get("MessageChannel").New()
		here := channel.Get("port1")
		here.Set("onmessage", js.FuncOf(func(js.Value, []js.Value) any {
			defer report("a step")
			next := yielded[0]
			yielded = yielded[1:]
			if len(yielded) == 0 {
				hold(here, "unref")
			}
			if *next != nil && !dead {
				(*next)()
			}
			return nil
		}))
		there, port = here, channel.Get("port2")
	}
	if len(yielded) == 0 {
		hold(there, "ref")
	}
	yielded = append(yielded, &f)
	port.Call("postMessage", nil)
	return func() { f = nil }
}

// hold has Node, and nobody else, keep its process, or end it, while a message may come.
func hold(port js.Value, how string) {
	if port.Get(how).Type() == js.TypeFunction {
		port.Call(how)
	}
}

var (
	there   js.Value // where it comes
	port    js.Value // what is sent here comes back as a task
	yielded []*func()
)
