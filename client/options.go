package client

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
)

// Options say what a database is. The zero value is one in memory that has no server.
type Options struct {
	// URL is that under which the server's /v1 stands: an origin, or an origin with a path; empty: local only, pending actions wait.
	URL string
	// Store keeps the local logs, such as one of client/file, and is closed with the database; nil: memory, which ends with it. One process has a store
	// at a time.
	Store locallog.Store
	// User stands in local logs: one that was made for another user is not opened.
	User string
	// Token gives the bearer token of each request; nil, or empty text: none is sent. An error is like having none. It may be called
	// by several at once, and again where the server refuses what it gave.
	Token func(context.Context) (string, error)
	// HTTP makes the requests; nil: http.DefaultClient. Redirects are not followed.
	HTTP *http.Client
	// Retry is the pause after a failure, which grows, and Idle that between turns where nothing happens; 0: those of browsers, 5 s and 60 s.
	Retry, Idle time.Duration
	// Schema is the version of the program's code, 0 for none: a server may take actions of newer code alone.
	Schema int
}

// base is the address of /v1.
func (o *Options) base() (string, error) {
	if o.URL == "" {
		return "", nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", action.Fail(action.CodeInvalid, "/url", "is no URL of http or https without a query")
	}
	return strings.TrimSuffix(o.URL, "/") + "/v1", nil
}
