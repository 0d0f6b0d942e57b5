//go:build js && wasm

package main

import (
	"context"
	"strings"
	"syscall/js"
	"time"

	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// headLimit is how long the answer may take to begin.
const headLimit = 30 * time.Second

// silenceLimit ends a connection for hints on which nothing comes: the server sends a comment every 25 seconds.
const silenceLimit = 60 * time.Second

// listen makes the connection for hints: server-sent events read through fetch, which, unlike EventSource, carries a token.
func (f *fetcher) listen(about protocol.Topics, heard func(protocol.Hint), ended func(err error)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer report("the connection for hints")
		err := f.hear(ctx, about, heard)
		if ctx.Err() == nil {
			cancel()
			ended(err)
		}
	}()
	return cancel
}

func (f *fetcher) hear(ctx context.Context, about protocol.Topics, heard func(protocol.Hint)) (err error) {
	r := &request{ctx: ctx, idle: plan.Idle{First: headLimit.Milliseconds(), Next: silenceLimit.Milliseconds()}}
	defer r.recovered(&err)
	if _, err = r.send(f, "/events", protocol.AppendTopics(nil, &about), "text/event-stream"); err != nil {
		return err
	}
	defer r.abort.Call("abort")
	reader := r.response.Get("body").Call("getReader")
	var buffered strings.Builder
	for {
		part, err := r.await(reader.Call("read"), r.idle.Next)
		if err != nil {
			return r.failed(err)
		}
		if part.Get("done").Bool() {
			return nil
		}
		buffered.Write(toGo(part.Get("value")))
		text := buffered.String()
		for {
			event, rest, whole := strings.Cut(text, "\n\n")
			if !whole {
				break
			}
			text = rest
			if hint, ok := protocol.DecodeHint(event); ok && ctx.Err() == nil {
				heard(hint)
			}
		}
		buffered.Reset()
		if buffered.WriteString(text); len(text) > 1<<16 {
			return r.failed(js.Error{Value: js.ValueOf("an event without an end")})
		}
	}
}
