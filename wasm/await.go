//go:build js && wasm

package main

import (
	"context"
	"syscall/js"
)

// await waits for a promise, or for ctx to end. Never call it in an export or a callback.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type settled struct {
		value js.Value
		err   error
	}
	ch := make(chan settled, 1)
	fulfilled := js.FuncOf(func(_ js.Value, args []js.Value) any {
		ch <- settled{value: first(args)}
		return nil
	})
	rejected := js.FuncOf(func(_ js.Value, args []js.Value) any {
		ch <- settled{err: js.Error{Value: js.Global().Get("Object").Invoke(first(args))}}
		return nil
	})
	release := func() { fulfilled.Release(); rejected.Release() }
	promise.Call("then", fulfilled, rejected)
	select {
	case s := <-ch:
		release()
		return s.value, s.err
	case <-ctx.Done():
		go func() { <-ch; release() }() // it still settles, and then nobody may call what was released
		return js.Undefined(), ctx.Err()
	}
}

func first(args []js.Value) js.Value {
	if len(args) == 0 {
		return js.Undefined()
	}
	return args[0]
}
