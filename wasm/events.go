//go:build js && wasm

package main

import (
	"syscall/js"

	"github.com/strandline-sync/strandline/core/plan"
)

// listen turns what browsers tell into wake-ups. None of it is believed: an event only cuts a pause, or marks the
// streams offline until the next round trip that succeeds.
func listen() {
	on := func(target js.Value, event string, f func()) {
		if target.Type() == js.TypeObject || target.Type() == js.TypeFunction {
			target.Call("addEventListener", event, js.FuncOf(func(js.Value, []js.Value) any {
				defer report("an event")
				if !dead {
					f()
				}
				return nil
			}))
		}
	}
	all := func(because string) func() {
		return func() {
			for _, db := range databases {
				db.step(&plan.Woken{Because: because})
			}
		}
	}
	page, document := js.Global(), js.Global().Get("document")
	on(page, "online", all("the browser says it is online"))
	on(page, "pageshow", all("the page was restored"))
	on(page, "offline", func() {
		for _, db := range databases {
			db.step(&plan.Offline{})
		}
	})
	on(document, "visibilitychange", func() {
		if document.Get("visibilityState").String() == "visible" {
			all("the page became visible")()
		}
	})
}
