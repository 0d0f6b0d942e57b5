//go:build js && wasm

package main

import (
	"context"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/strandline-sync/strandline/core"
)

// fetcher implements core.Transport over fetch.
type fetcher struct {
	url  string
	auth js.Value // the app's function for a bearer token, or undefined
}

// authLimit bounds the wait for the app's own function.
const authLimit = 30 * time.Second

// Sync implements core.Transport. What is not an answer of the sync protocol is never taken for one: redirects are not
// followed, and anything but JSON is a portal's or a proxy's.
func (f *fetcher) Sync(ctx context.Context, body []byte) (answer []byte, retryAfter int64, err error) {
	defer func() {
		if r := recover(); r != nil {
			thrown, ok := r.(js.Error)
			if !ok {
				panic(r) // a fault of ours, to be reported
			}
			err = &core.Error{Code: core.CodeUnreachable, Message: "the request could not be made", Cause: thrown}
		}
	}()
	headers := js.Global().Get("Object").New()
	headers.Set("Content-Type", "application/json")
	headers.Set("Strandline-Version", "1")
	if f.auth.Type() == js.TypeFunction {
		token, err := f.token(ctx)
		if err != nil {
			return nil, 0, err
		}
		headers.Set("Authorization", "Bearer "+token)
	}
	abort := js.Global().Get("AbortController").New()
	bytes := js.Global().Get("Uint8Array").New(len(body))
	js.CopyBytesToJS(bytes, body)
	init := js.Global().Get("Object").New()
	for key, value := range map[string]any{"method": "POST", "headers": headers, "body": bytes, "signal": abort.Get("signal"),
		"redirect": "error", "cache": "no-store", "credentials": "same-origin"} {
		init.Set(key, value)
	}
	fail := func(err error) error {
		abort.Call("abort")
		if ctx.Err() != nil {
			return &core.Error{Code: core.CodeTimeout, Message: "the server did not answer in time"}
		}
		return &core.Error{Code: core.CodeUnreachable, Message: "the server could not be reached", Cause: err}
	}
	response, err := await(ctx, js.Global().Call("fetch", f.url, init))
	if err != nil {
		return nil, 0, fail(err)
	}
	buffer, err := await(ctx, response.Call("arrayBuffer"))
	if err != nil {
		return nil, 0, fail(err)
	}
	view := js.Global().Get("Uint8Array").New(buffer)
	text := make([]byte, view.Get("byteLength").Int())
	js.CopyBytesToGo(text, view)
	kind, _, _ := strings.Cut(responseHeader(response, "Content-Type"), ";")
	kind = strings.TrimSpace(strings.ToLower(kind))
	status := response.Get("status").Int()
	retryAfter = waitAsked(responseHeader(response, "Retry-After"))
	switch {
	case status == 200 && kind == "application/json":
		return text, 0, nil
	case kind == "application/problem+json":
		return nil, retryAfter, core.DecodeProblem(string(text))
	case status == 401:
		return nil, 0, &core.Error{Code: core.CodeUnauthorized, Message: "the server wants another token"}
	case status == 429 || status == 503:
		return nil, retryAfter, &core.Error{Code: core.CodeUnavailable, Message: "the server cannot answer now"}
	}
	return nil, 0, &core.Error{Code: core.CodeBadAnswer, Message: "something else than the sync server answered, with status " + strconv.Itoa(status)}
}

func (f *fetcher) token(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, authLimit)
	defer cancel()
	value, err := await(ctx, js.Global().Get("Promise").Call("resolve").Call("then", f.auth))
	if err != nil {
		return "", &core.Error{Code: core.CodeUnauthorized, Message: "auth() failed", Cause: err}
	}
	if value.Type() != js.TypeString || value.String() == "" {
		return "", &core.Error{Code: core.CodeUnauthorized, Message: "there is no token"}
	}
	return value.String(), nil
}

func responseHeader(response js.Value, name string) string {
	if v := response.Get("headers").Call("get", name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// waitAsked reads Retry-After, seconds or a date, as milliseconds; at most an hour is believed.
func waitAsked(text string) int64 {
	if text == "" {
		return 0
	}
	const most = 3_600_000
	n, digits := int64(0), true
	for _, c := range []byte(text) {
		if digits = digits && c >= '0' && c <= '9'; digits && n < most {
			n = n*10 + int64(c-'0')
		}
	}
	if digits {
		return min(n*1000, most)
	}
	at := js.Global().Get("Date").Call("parse", text)
	if at.IsNaN() {
		return 0
	}
	return max(0, min(int64(at.Float())-time.Now().UnixMilli(), most))
}
