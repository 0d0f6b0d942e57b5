//go:build js && wasm

package main

import (
	"bytes"
	"context"
	"net/http"
	"syscall/js"

	"github.com/strandline-sync/strandline/server"
)

// answer is an http.ResponseWriter whose parts go to functions of the script: head(status, names and values in turn), piece(bytes), end().
type answer struct {
	out    js.Value
	header http.Header
	begun  bool
	ctx    context.Context
}

// serve answers a request: (method, path, names and values of headers in turn, body, out). It gives a function that ends it.
func serve(s *server.Server, args []js.Value) any {
	body := make([]byte, args[3].Length())
	js.CopyBytesToGo(body, args[3])
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, args[0].String(), args[1].String(), bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	for i := 0; i < args[2].Length(); i += 2 {
		r.Header.Add(args[2].Index(i).String(), args[2].Index(i+1).String())
	}
	r.RemoteAddr = "127.0.0.1:1"
	a := &answer{out: args[4], header: http.Header{}, ctx: ctx}
	ended := js.FuncOf(func(js.Value, []js.Value) any {
		cancel()
		return nil
	})
	go func() {
		defer func() {
			cut := recover() != nil // an answer that ends in the middle
			cancel()
			if !cut && !a.begun {
				a.WriteHeader(http.StatusOK)
			}
			a.out.Call("end", cut)
		}()
		s.ServeHTTP(a, r)
	}()
	return ended
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.begun {
		return
	}
	a.begun = true
	pairs := []any{}
	for name, values := range a.header {
		for _, value := range values {
			pairs = append(pairs, name, value)
		}
	}
	a.out.Call("head", status, pairs)
}

func (a *answer) Write(b []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	a.WriteHeader(http.StatusOK)
	piece := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(piece, b)
	a.out.Call("piece", piece)
	return len(b), nil
}

// Flush implements http.Flusher: nothing is held back.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }
