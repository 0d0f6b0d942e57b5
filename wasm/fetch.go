//go:build js && wasm

package main

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// fetcher makes requests of the server over fetch.
type fetcher struct {
	base string   // the URL of /v1
	auth js.Value // the app's function for a bearer token, or undefined
}

// authLimit bounds the wait for the app's own function.
const authLimit = 30 * time.Second

// sync makes a request of the sync protocol. What is not an answer of the sync protocol is never taken for one: redirects are not
// followed, and anything but JSON is a portal's or a proxy's.
func (f *fetcher) sync(ctx context.Context, body []byte, idle plan.Idle) (answer []byte, retryAfter int64, err error) {
	return f.whole(ctx, "/sync", body, "application/json", idle)
}

// checkpoint gets the text of a checkpoint, what is there of it and then the rest, also where that fails on the way. Its hash is compared
// where the browser can: in a secure context. (A hash of our own would be a tenth of what the core weighs; elsewhere the checksum of
// the compression, the length and the strict form are left.)
func (f *fetcher) checkpoint(ctx context.Context, r *plan.Request) (text []byte, retryAfter int64, err error) {
	path := "/checkpoint?stream=" + escape(r.Stream) + "&epoch=" + r.Offer.Epoch.String() + "&index=" + strconv.FormatUint(r.Offer.Index, 10)
	if len(r.Have) > 0 {
		path += "&from=" + strconv.Itoa(len(r.Have))
	}
	rest, retryAfter, err := f.whole(ctx, path, nil, "application/jsonl", r.Idle)
	text = append(r.Have[:len(r.Have):len(r.Have)], rest...)
	if err != nil {
		return text, retryAfter, err
	}
	if subtle := js.Global().Get("crypto").Get("subtle"); !subtle.IsUndefined() {
		sum, err := await(ctx, subtle.Call("digest", "SHA-256", toJS(text)))
		if err != nil {
			return text, 0, &action.Error{Code: action.CodeTimeout, Message: "the server did not answer in time", Cause: err}
		}
		if hex.EncodeToString(toGo(sum)) != r.Offer.SHA256 {
			return nil, 0, &action.Error{Code: action.CodeBadAnswer, Path: "/checkpoint", Message: "it is not the checkpoint that was offered"}
		}
	}
	return text, 0, nil
}

func escape(s string) string { return js.Global().Call("encodeURIComponent", s).String() }

// whole makes a request and reads its answer to the end, piece by piece: a long one over a slow line is as good as a short one over a fast line.
func (f *fetcher) whole(ctx context.Context, path string, body []byte, kind string, idle plan.Idle) (answer []byte, retryAfter int64, err error) {
	r := &request{ctx: ctx, idle: idle}
	defer r.recovered(&err)
	if retryAfter, err = r.send(f, path, body, kind); err != nil {
		return nil, retryAfter, err
	}
	reader := r.response.Get("body").Call("getReader")
	for {
		piece, err := r.await(reader.Call("read"), idle.Next)
		if err != nil {
			return answer, 0, r.failed(err)
		}
		if piece.Get("done").Bool() {
			return answer, 0, nil
		}
		bytes := piece.Get("value")
		at, n := len(answer), bytes.Get("byteLength").Int()
		answer = slices.Grow(answer, n)[:at+n]
		js.CopyBytesToGo(answer[at:], bytes)
	}
}

// toJS copies bytes into a Uint8Array.
func toJS(b []byte) js.Value {
	bytes := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(bytes, b)
	return bytes
}

// toGo copies an ArrayBuffer.
func toGo(buffer js.Value) []byte {
	bytes := js.Global().Get("Uint8Array").New(buffer)
	b := make([]byte, bytes.Get("byteLength").Int())
	js.CopyBytesToGo(b, bytes)
	return b
}

// request is one under way.
type request struct {
	ctx      context.Context
	idle     plan.Idle
	silent   bool // nothing came for too long
	abort    js.Value
	response js.Value
}

// recovered, deferred, makes an error of what JavaScript throws.
func (r *request) recovered(err *error) {
	if p := recover(); p != nil {
		thrown, ok := p.(js.Error)
		if !ok {
			panic(p) // a fault of ours, to be reported
		}
		*err = &action.Error{Code: action.CodeUnreachable, Message: "the request could not be made", Cause: thrown}
	}
}

// await waits for a promise, for at most so many milliseconds.
func (r *request) await(promise js.Value, ms int64) (js.Value, error) {
	ctx, cancel := context.WithTimeout(r.ctx, time.Duration(ms)*time.Millisecond)
	defer cancel()
	value, err := await(ctx, promise)
	r.silent = r.silent || err != nil && ctx.Err() != nil
	return value, err
}

// failed ends the request.
func (r *request) failed(err error) error {
	r.abort.Call("abort")
	if r.silent || r.ctx.Err() != nil {
		return &action.Error{Code: action.CodeTimeout, Message: "the server did not answer in time"}
	}
	return &action.Error{Code: action.CodeUnreachable, Message: "the server could not be reached", Cause: err}
}

// send makes the request, a POST where there is a body, and looks at the head of the answer: it is of the given kind, or an error.
func (r *request) send(f *fetcher, path string, body []byte, want string) (retryAfter int64, err error) {
	object := js.Global().Get("Object")
	headers, init := object.New(), object.New()
	headers.Set("Strandline-Version", "1")
	if f.auth.Type() == js.TypeFunction {
		token, err := f.token(r.ctx)
		if err != nil {
			return 0, err
		}
		headers.Set("Authorization", "Bearer "+token)
	}
	r.abort = js.Global().Get("AbortController").New()
	if body != nil {
		headers.Set("Content-Type", "application/json")
		init.Set("method", "POST")
		init.Set("body", toJS(body))
	} else {
		headers.Set("Accept", want)
	}
	for key, value := range map[string]any{"headers": headers, "signal": r.abort.Get("signal"), "redirect": "error", "cache": "no-store", "credentials": "same-origin"} {
		init.Set(key, value)
	}
	if r.response, err = r.await(js.Global().Call("fetch", f.base+path, init), r.idle.First); err != nil {
		return 0, r.failed(err)
	}
	kind, _, _ := strings.Cut(responseHeader(r.response, "Content-Type"), ";")
	kind = strings.TrimSpace(strings.ToLower(kind))
	status := r.response.Get("status").Int()
	retryAfter = waitAsked(responseHeader(r.response, "Retry-After"))
	switch {
	case status == 200 && kind == want:
		return 0, nil
	case kind == "application/problem+json":
		buffer, err := r.await(r.response.Call("arrayBuffer"), r.idle.Next)
		if err != nil {
			return 0, r.failed(err)
		}
		return retryAfter, protocol.DecodeProblem(string(toGo(buffer)))
	}
	r.abort.Call("abort")
	switch status {
	case 401:
		return 0, &action.Error{Code: action.CodeUnauthorized, Message: "the server wants another token"}
	case 429, 503:
		return retryAfter, &action.Error{Code: action.CodeUnavailable, Message: "the server cannot answer now"}
	}
	return 0, &action.Error{Code: action.CodeBadAnswer, Message: "something else than the sync server answered, with status " + strconv.Itoa(status)}
}

func (f *fetcher) token(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, authLimit)
	defer cancel()
	value, err := await(ctx, js.Global().Get("Promise").Call("resolve").Call("then", f.auth))
	if err != nil {
		return "", &action.Error{Code: action.CodeUnauthorized, Message: "auth() failed", Cause: err}
	}
	if value.Type() != js.TypeString || value.String() == "" {
		return "", &action.Error{Code: action.CodeUnauthorized, Message: "there is no token"}
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
