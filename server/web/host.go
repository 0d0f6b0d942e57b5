package web

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/rights"
)

// Host is what the rooms of one server share.
type Host struct {
	Auth       rights.Auth
	Log        *slog.Logger
	CORS       []string // origins that may call from other pages
	Now        func() time.Time
	Steady     func() time.Time // as Now, but that it never jumps: what ends with time does not end because somebody sets the clock
	Background func(func())     // runs what nobody waits for
	Writable   func() error     // why nothing is taken now; nil: there is never a reason
	Done       chan struct{}    // closed when the server ends

	Limiter *Limiter // of requests; nil: nobody counts
	Gate    *Gate    // of the processors; nil: nobody waits for one
	Memory  *Pool    // of requests and answers; nil: nobody counts
	Commits *Pool    // what waits for the engine to make it durable; nil: nobody counts

	MaxRequestBytes int           // unpacked
	MaxWait         time.Duration // of a long poll
}

// Takes tells whether anything that is to be kept is taken now.
func (s *Host) Takes() error {
	if s.Writable == nil {
		return nil
	}
	if err := s.Writable(); err != nil {
		return Problem(action.CodeUnavailable, "", err.Error())
	}
	return nil
}

// StreamQuery reads the query of a request that is about one stream, once the principal has the right to it.
func (s *Host) StreamQuery(r *http.Request, p rights.Principal, right rights.Right) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, Bad("", "the query cannot be read")
	}
	if wrong := action.CheckStreamName(values.Get("stream")); wrong != "" {
		return nil, Bad("/stream", wrong)
	}
	if !s.Auth.Allow(p, values.Get("stream"), right) {
		return nil, ErrForbidden
	}
	return values, nil
}

// RouteOf is a path without what is somebody's, for logs and figures.
func RouteOf(path string) string {
	switch {
	case path == "/v1/sync", path == "/v1/log", path == "/v1/events", path == "/v1/streams", path == "/v1/history", path == "/v1/checkpoint":
		return path
	case strings.HasPrefix(path, "/v1/data/"):
		return "/v1/data"
	case strings.HasPrefix(path, "/v1/"):
		return "/v1"
	}
	return "/"
}
