package server

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/core/protocol"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/web"
)

// getEvents tells of what the address names.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request, p Principal) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return web.Bad("", "the query cannot be read")
	}
	about := protocol.Topics{Streams: values["stream"], Data: values["data"]}
	switch {
	case about.Len() == 0:
		return web.Bad("/stream", "is missing")
	case len(about.Streams) > protocol.MaxTopics || len(about.Data) > protocol.MaxTopics:
		return web.ErrTooLarge
	}
	for of, names := range map[string][]string{"/stream": about.Streams, "/data": about.Data} {
		for _, name := range names {
			if wrong := action.CheckStreamName(name); wrong != "" {
				return web.Bad(of, wrong)
			}
		}
	}
	return s.events(w, r, p, about)
}

// postEvents tells of what the body names: many names make an address that is refused on the way.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request, p Principal) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return web.Problem("unsupported-media-type", "", "what hints are asked about is application/json")
	}
	body, err := s.host.ReadBody(w, r)
	if err != nil {
		return err
	}
	about, err := protocol.DecodeTopics(string(body))
	if err != nil {
		return err
	}
	return s.events(w, r, p, about)
}

// events tells of the heads of streams, and of the ends of data streams, at once and whenever one moves.
func (s *Server) events(w http.ResponseWriter, r *http.Request, p Principal, about protocol.Topics) error {
	names := slices.Compact(slices.Sorted(slices.Values(about.Streams)))
	data := slices.Compact(slices.Sorted(slices.Values(about.Data)))
	// One connection is for all that a client has open: a name that may not be read is left out, and does not keep the others from being told.
	forbidden := func(name string) bool { return !s.host.Auth.Allow(p, name, Read) }
	names, data = slices.DeleteFunc(names, forbidden), slices.DeleteFunc(data, forbidden)
	if len(names)+len(data) == 0 {
		return web.ErrForbidden
	}
	allowed := func() bool { return !slices.ContainsFunc(names, forbidden) && !slices.ContainsFunc(data, forbidden) }
	wake := make(chan struct{}, 1)
	moved := make([]func() (uint64, bool), len(names))
	for i, name := range names {
		look, stop := s.actions.Watch(name, wake)
		defer stop()
		moved[i] = look
	}
	for _, name := range data {
		defer s.data.Watch(name, wake)()
	}
	tails := make([]string, len(data))
	first := true
	return s.host.Follow(w, r, p, web.Feed{Wake: wake, Allowed: allowed, Next: func(ctx context.Context) (text []byte, _ bool, err error) {
		for i, name := range names {
			head, is := moved[i]()
			if first {
				if head, err = s.actions.Head(ctx, name); err != nil {
					return nil, false, err
				}
			}
			if first || is {
				text = appendHead(text, name, head)
			}
		}
		first = false
		text, err = s.appendTails(ctx, text, data, tails)
		return text, false, err
	}})
}

// appendTails tells of the data streams whose end is not the one that was told.
func (s *Server) appendTails(ctx context.Context, b []byte, names, told []string) ([]byte, error) {
	for i, name := range names {
		tail, err := s.data.Tail(ctx, name)
		if err != nil {
			return nil, err
		}
		if tail == told[i] {
			continue
		}
		told[i] = tail
		b = append(append(b, "event: data\ndata: {\"data\":"...), web.Quote(name)...)
		b = append(append(b, ",\"offset\":"...), web.Quote(strings.Trim(tail, "-/"))...)
		b = append(b, "}\n\n"...)
	}
	return b, nil
}

func appendHead(b []byte, stream string, head uint64) []byte {
	b = append(b, "event: head\ndata: {\"head\":"...)
	b = strconv.AppendUint(b, head, 10)
	b = append(append(b, `,"stream":`...), web.Quote(stream)...)
	return append(b, "}\n\n"...)
}
