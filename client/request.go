package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// maxProblem is how much of an answer that is an error is read.
const maxProblem = 64 << 10

// Bytes that are made room for: for a checkpoint at once, at most, and for what comes next.
const (
	mostRoom  = 64 << 20
	leastRoom = 512
)

// request makes one of the server. The caller holds mu.
func (db *DB) request(r *plan.Request) {
	ctx := db.cancelled(r.Op)
	db.beside(func() plan.Event {
		answered := db.ask(ctx, r)
		db.mu.Lock()
		if cancel := db.under[r.Op]; cancel != nil {
			cancel()
			delete(db.under, r.Op)
		}
		db.mu.Unlock()
		return answered
	})
}

// ask makes a request and reads its answer.
func (db *DB) ask(ctx context.Context, r *plan.Request) *plan.Answered {
	out := &plan.Answered{Op: r.Op, Body: r.Have}
	method, at, want, sum := http.MethodPost, db.url+"/sync", "application/json", ""
	var body io.Reader = bytes.NewReader(r.Body)
	if o := r.Offer; o != nil {
		q := url.Values{"stream": {r.Stream}, "epoch": {o.Epoch.String()}, "index": {strconv.FormatUint(o.Index, 10)}, "sha256": {o.SHA256}}
		if len(r.Have) > 0 {
			q.Set("from", strconv.Itoa(len(r.Have)))
		}
		method, at, want, sum, body = http.MethodGet, db.url+"/checkpoint?"+q.Encode(), "application/jsonl", o.SHA256, nil
	}
	ctx, alive, stop := patient(ctx, r.Idle)
	defer stop()
	resp, err := db.send(ctx, method, at, body, map[string]string{"Content-Type": "application/json", "Accept": want, "Accept-Encoding": "gzip"})
	if err != nil {
		out.Err = wayError(ctx, err)
		return out
	}
	defer resp.Body.Close()
	alive()
	if err := unpacked(resp); err != nil {
		out.Err = action.Fail(action.CodeBadAnswer, "", "the answer is no gzip")
		return out
	}
	out.Cost = plan.Cost{Status: resp.StatusCode, Bytes: int64(len(r.Body))}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != want {
		out.RetryAfter, out.Err = problemOf(resp)
		return out
	}
	if o := r.Offer; o != nil { // room for all of it, but not for whatever a server says
		out.Body = append(make([]byte, 0, min(o.Bytes, mostRoom)+1), r.Have...)
	}
	for {
		out.Body = slices.Grow(out.Body, leastRoom)
		n, err := resp.Body.Read(out.Body[len(out.Body):cap(out.Body)])
		out.Body, out.Cost.Bytes = out.Body[:len(out.Body)+n], out.Cost.Bytes+int64(n)
		if err == io.EOF {
			break
		}
		if err != nil {
			out.Err = wayError(ctx, err)
			return out
		}
		alive()
	}
	if got := sha256.Sum256(out.Body); sum != "" && hex.EncodeToString(got[:]) != sum {
		out.Body, out.Err = nil, action.Fail(action.CodeBadAnswer, "/checkpoint", "it is not the checkpoint that was offered")
	}
	return out
}

// unpacked has the body of an answer be what was packed with gzip.
func unpacked(resp *http.Response) error {
	if resp.Header.Get("Content-Encoding") != "gzip" {
		return nil
	}
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		return err
	}
	under := resp.Body
	resp.Body = struct {
		io.Reader
		io.Closer
	}{z, under}
	return nil
}

// send makes a request with the token that there is.
func (db *DB) send(ctx context.Context, method, at string, body io.Reader, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, err
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Strandline-Version", "1")
	if db.token != nil {
		token, err := db.token(ctx)
		if err != nil {
			return nil, &action.Error{Code: action.CodeUnauthorized, Message: "there is no token", Cause: err}
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
	}
	return db.http.Do(req)
}

// errSilence ends a request from which nothing came for too long.
var errSilence = errors.New("nothing came for too long")

// patient gives a context that ends when nothing has come for so long; alive says that something has.
func patient(ctx context.Context, idle plan.Idle) (_ context.Context, alive, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	first, next := time.Duration(idle.First)*time.Millisecond, time.Duration(idle.Next)*time.Millisecond
	timer := time.AfterFunc(first, func() { cancel(errSilence) })
	return ctx, func() { timer.Reset(next) }, func() { timer.Stop(); cancel(nil) }
}

// wayError is what ends a request on its way.
func wayError(ctx context.Context, err error) error {
	var e *action.Error
	switch {
	case errors.As(err, &e):
		return e
	case context.Cause(ctx) == errSilence:
		return action.Fail(action.CodeTimeout, "", errSilence.Error())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &action.Error{Code: action.CodeBadAnswer, Message: "half an answer came", Cause: err}
	}
	var u *url.Error
	if errors.As(err, &u) { // without the address
		err = u.Err
	}
	return &action.Error{Code: action.CodeUnreachable, Message: "the server was not reached", Cause: err}
}

// problemOf is what an answer that is not the one that was asked for says, and for how many milliseconds it asks to wait.
func problemOf(resp *http.Response) (wait int64, err error) {
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		wait = int64(min(seconds, 3600)) * 1000
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	body, rerr := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	var p struct{ Code, Detail, Pointer string }
	if kind != "application/problem+json" || rerr != nil || json.Unmarshal(body, &p) != nil || p.Code == "" {
		code := action.CodeBadAnswer
		if resp.StatusCode == http.StatusUnauthorized {
			code = action.CodeUnauthorized
		}
		if resp.StatusCode == http.StatusTooManyRequests {
			code = action.CodeRateLimited
		}
		if s := resp.StatusCode; s == http.StatusBadGateway || s == http.StatusServiceUnavailable || s == http.StatusGatewayTimeout {
			code = action.CodeUnavailable
		}
		return wait, action.Fail(code, "", fmt.Sprintf("the answer is none of the protocol's: %d %s", resp.StatusCode, kind))
	}
	return wait, &action.Error{Code: p.Code, Path: p.Pointer, Message: p.Detail}
}
