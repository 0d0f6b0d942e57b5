package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// remote is a server and a stream on it.
type remote struct {
	base   string // the URL under which /v1 stands
	stream string
	token  string
}

const requestLimit = 30 * time.Second

// parseRemote reads the flags and then URL and STREAM; flags may also stand behind them.
func parseRemote(flags *flag.FlagSet, args []string) (*remote, error) {
	token := flags.String("token", "", "a file whose trimmed text is the bearer token")
	given, err := words(flags, args, 2)
	if err != nil {
		return nil, err
	}
	if len(given) != 2 {
		return nil, fmt.Errorf("%s takes a URL and a STREAM", flags.Name())
	}
	u, err := url.Parse(given[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no http URL", given[0])
	}
	if wrong := action.CheckStreamName(given[1]); wrong != "" {
		return nil, errors.New(wrong)
	}
	r := &remote{base: strings.TrimRight(given[0], "/") + "/v1", stream: given[1]}
	if *token != "" {
		text, err := os.ReadFile(*token)
		if err != nil {
			return nil, fmt.Errorf("read the token: %w", err)
		}
		r.token = strings.TrimSpace(string(text))
	}
	return r, nil
}

// request makes one; what is no success is an *action.Error.
func (r *remote) request(ctx context.Context, method, path string, body []byte, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("Strandline-Version", "1")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, &action.Error{Code: action.CodeUnreachable, Cause: err}
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, &action.Error{Code: action.CodeUnreachable, Cause: err}
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		return nil, protocol.DecodeProblem(string(text))
	}
	return nil, &action.Error{Code: action.CodeBadAnswer, Message: "something else than the sync server answered, with status " + resp.Status}
}

// whole makes a request and reads its answer to the end.
func (r *remote) whole(ctx context.Context, method, path string, body []byte) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	resp, err := r.request(ctx, method, path, body, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", &action.Error{Code: action.CodeUnreachable, Cause: err}
	}
	return string(text), nil
}

// log asks for the first entry after an index, and with it for the epoch and the head.
func (r *remote) log(ctx context.Context, after uint64) (*protocol.SyncAnswer, error) {
	text, err := r.whole(ctx, http.MethodGet, "/log?limit=1&stream="+url.QueryEscape(r.stream)+"&after="+strconv.FormatUint(after, 10), nil)
	if err != nil {
		return nil, err
	}
	answers, err := protocol.DecodeSyncAnswer(`{"streams":[` + text + `]}`)
	if err != nil || len(answers) != 1 {
		return nil, &action.Error{Code: action.CodeBadAnswer, Cause: err}
	}
	return &answers[0], nil
}

// retryable tells whether the same request may succeed later.
func retryable(err error) bool {
	var e *action.Error
	return errors.As(err, &e) && e.Retryable() && e.Code != action.CodeUnauthorized
}
