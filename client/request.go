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
	if o := r.Offer; o != nil {
		q := url.Values{"stream": {r.Stream}, "epoch": {o.Epoch.String()}, "index": {strconv.FormatUint(o.Index, 10)}, "sha256": {o.SHA256}}
		if len(r.Have) > 0 {
			q.Set("from", strconv.Itoa(len(r.Have)))
		}
		method, at, want, sum = http.MethodGet, db.url+"/checkpoint?"+q.Encode(), "application/jsonl", o.SHA256
	}
	resp, ctx, alive, stop, err := db.send(ctx, r.Idle, method, at, r.Body, map[string]string{"Content-Type": "application/json", "Accept": want, "Accept-Encoding": "gzip"})
	defer stop()
	if err != nil {
		out.Err = wayError(ctx, err)
		return out
	}
	defer resp.Body.Close()
	alive()
	if err := unpacked(resp); err != nil {
		if out.Err = wayError(ctx, err); errors.Is(err, gzip.ErrHeader) {
			out.Err = action.Fail(action.CodeBadAnswer, "", "the answer is no gzip")
		}
		return out
	}
	out.Cost = plan.Cost{Status: resp.StatusCode, Bytes: int64(len(r.Body))}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != want {
		out.RetryAfter, out.Err = problemOf(ctx, resp)
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

// send makes a request with the token that there is, and once more where it is refused and there is another one by then. Until that is there the
// server's silence is not counted.
func (db *DB) send(ctx context.Context, idle plan.Idle, method, at string, body []byte, header map[string]string) (resp *http.Response, _ context.Context, alive, stop func(), err error) {
	used := ""
	for again := false; ; again = true {
		token := ""
		if db.token != nil {
			if token, err = db.token(ctx); err != nil {
				return nil, ctx, nil, func() {}, &action.Error{Code: action.CodeUnauthorized, Message: "there is no token", Cause: err}
			}
		}
		waiting, alive, stop := patient(ctx, idle)
		var text io.Reader
		if method == http.MethodPost {
			text = bytes.NewReader(body)
		}
		req, err := http.NewRequestWithContext(waiting, method, at, text)
		if err != nil {
			return nil, waiting, alive, stop, err
		}
		for name, value := range header {
			req.Header.Set(name, value)
		}
		req.Header.Set("Strandline-Version", "1")
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := db.http.Do(req)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || again || db.token == nil {
			return resp, waiting, alive, stop, err
		}
		used = token
		next, terr := db.token(ctx)
		if terr != nil || next == "" || next == used {
			return resp, waiting, alive, stop, nil
		}
		resp.Body.Close()
		stop()
	}
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

// maxWait is for how long a server can ask to wait.
const maxWait = time.Hour

// problemOf is what an answer that is not the one that was asked for says, and for how many milliseconds it asks to wait.
func problemOf(ctx context.Context, resp *http.Response) (wait int64, err error) {
	wait = waitAsked(resp)
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/problem+json" {
		if s := resp.StatusCode; s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable {
			return wait, action.Fail(action.CodeUnavailable, "", "the server cannot answer now")
		}
		return wait, action.Fail(action.CodeBadAnswer, "", fmt.Sprintf("something else than the sync server answered, with status %d", resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if err != nil {
		return 0, wayError(ctx, err)
	}
	var p struct{ Code, Detail, Pointer string }
	if json.Unmarshal(body, &p) != nil || p.Code == "" {
		return 0, action.Fail(action.CodeBadAnswer, "", "the server's problem cannot be read")
	}
	return wait, &action.Error{Code: p.Code, Path: p.Pointer, Message: p.Detail}
}

// waitAsked is for how many milliseconds an answer asks to wait.
func waitAsked(resp *http.Response) int64 {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return int64(min(max(seconds*1000, 0), float64(maxWait.Milliseconds())))
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(time.Until(at), 0), maxWait).Milliseconds()
}
