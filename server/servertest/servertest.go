// Package servertest runs a real server in a Go test, in memory, for apps' own tests.
package servertest

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/memory"
)

// Server is a server at an address of its own, until the test ends.
type Server struct {
	*server.Server
	URL string
	t   testing.TB
	web *httptest.Server
}

// New starts one. change may set what the app's server has, such as its hooks; nil: everybody may do everything.
func New(t testing.TB, change func(*server.Config)) *Server {
	t.Helper()
	c := server.Config{Engine: memory.New(), Auth: server.None(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&c)
	}
	s := &Server{Server: server.New(c), t: t}
	s.web = httptest.NewServer(s.Server)
	s.URL = s.web.URL
	t.Cleanup(func() {
		s.Close()
		s.web.Close()
		c.Engine.Close()
	})
	return s
}

// Client opens a database in memory that this server serves, until the test ends.
func (s *Server) Client(change func(*client.Options)) *client.DB {
	s.t.Helper()
	o := client.Options{URL: s.URL}
	if change != nil {
		change(&o)
	}
	db, err := client.Open(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	return db
}

// Stream opens a stream of a new client.
func (s *Server) Stream(name string) *client.Stream {
	s.t.Helper()
	stream, err := s.Client(nil).Stream(s.t.Context(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return stream
}
