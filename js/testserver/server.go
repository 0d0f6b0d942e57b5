//go:build js && wasm

package main

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"syscall/js"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// rate is above what any test asks: the limits are the network's, and there is none.
const rate = 1e9

// judge is the test's own word about requests.
type judge struct {
	hooks js.Value
}

// create makes a server. The hooks are functions of the test:
//
//	subject(token)          names who bears a token; null refuses it
//	refusal(subject, stream, action)  gives why an action is refused, or null; action is JSON
//
// The server has fetch (see request.go) and close.
func create(hooks js.Value) any {
	j := judge{hooks}
	s := server.New(server.Config{Engine: memory.New(), Auth: j, Validate: j.validate, Log: slog.New(slog.DiscardHandler), Rate: rate, Burst: rate})
	return js.ValueOf(map[string]any{
		"fetch": js.FuncOf(func(_ js.Value, args []js.Value) any { return serve(s, args) }),
		"close": js.FuncOf(func(js.Value, []js.Value) any {
			s.Close()
			return nil
		}),
	})
}

// Authenticate implements server.Auth.
func (j judge) Authenticate(r *http.Request) (server.Principal, error) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	subject := j.hooks.Call("subject", token)
	if subject.IsNull() {
		return server.Principal{}, &action.Error{Code: action.CodeUnauthorized, Message: "a valid bearer token is needed"}
	}
	return server.Principal{Subject: subject.String()}, nil
}

// Allow implements server.Auth: who is known may do everything.
func (judge) Allow(server.Principal, string, server.Right) bool { return true }

func (j judge) validate(_ context.Context, a *server.Judged) error {
	why := j.hooks.Call("refusal", a.Principal.Subject, a.Stream, a.Action.Raw)
	if why.IsNull() {
		return nil
	}
	return &action.Error{Code: action.CodeInvalid, Message: why.String()}
}
