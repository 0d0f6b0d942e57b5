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

// A connection waits for hours, and there are many: what lies on its stack meanwhile is little, and what was needed to begin it is not there.

// getEvents tells of what the address names.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request, p Principal) error {
	return s.events(w, r, &p, topicsOf)
}

// postEvents tells of what the body names: many names make an address that is refused on the way.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request, p Principal) error {
	return s.events(w, r, &p, s.topicsIn)
}

// topicsOf reads the address.
func topicsOf(_ http.ResponseWriter, r *http.Request) (about protocol.Topics, err error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return about, web.Bad("", "the query cannot be read")
	}
	about = protocol.Topics{Streams: values["stream"], Data: values["data"]}
	switch {
	case about.Len() == 0:
		return about, web.Bad("/stream", "is missing")
	case len(about.Streams) > protocol.MaxTopics || len(about.Data) > protocol.MaxTopics:
		return about, web.ErrTooLarge
	}
	for of, names := range map[string][]string{"/stream": about.Streams, "/data": about.Data} {
		for _, name := range names {
			if wrong := action.CheckStreamName(name); wrong != "" {
				return about, web.Bad(of, wrong)
			}
		}
	}
	return about, nil
}

// topicsIn reads the body.
func (s *Server) topicsIn(w http.ResponseWriter, r *http.Request) (about protocol.Topics, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return about, web.Problem("unsupported-media-type", "", "what hints are asked about is application/json")
	}
	body, err := s.host.ReadBody(w, r)
	if err != nil {
		return about, err
	}
	return protocol.DecodeTopics(string(body))
}

// events tells of the heads of streams, and of the ends of data streams, at once and whenever one moves.
func (s *Server) events(w http.ResponseWriter, r *http.Request, p *Principal, topics func(http.ResponseWriter, *http.Request) (protocol.Topics, error)) error {
	l, err := s.listen(w, r, p, topics)
	if err != nil {
		return err
	}
	defer l.stop()
	return l.follow(w, r)
}

// listening is a connection for hints: what it is about, and what it has told.
type listening struct {
	s           *Server
	p           *Principal
	names, data []string
	wake        chan struct{}
	moved       []func() (uint64, bool) // of the names
	tails       []string                // of the data streams, as they were told
	told        bool                    // the heads were, once
	stops       []func()
}

// listen watches what a principal may read of some topics. One connection is for all that a client has open: a name that may not be read is left out, and does
// not keep the others from being told.
func (s *Server) listen(w http.ResponseWriter, r *http.Request, p *Principal, topics func(http.ResponseWriter, *http.Request) (protocol.Topics, error)) (*listening, error) {
	about, err := topics(w, r)
	if err != nil {
		return nil, err
	}
	l := &listening{s: s, p: p, names: slices.Compact(slices.Sorted(slices.Values(about.Streams))), data: slices.Compact(slices.Sorted(slices.Values(about.Data)))}
	l.names, l.data = slices.DeleteFunc(l.names, l.forbidden), slices.DeleteFunc(l.data, l.forbidden)
	if len(l.names)+len(l.data) == 0 {
		return nil, web.ErrForbidden
	}
	l.wake, l.tails = make(chan struct{}, 1), make([]string, len(l.data))
	for _, name := range l.names {
		look, stop := s.actions.Watch(name, l.wake)
		l.moved, l.stops = append(l.moved, look), append(l.stops, stop)
	}
	for _, name := range l.data {
		l.stops = append(l.stops, s.data.Watch(name, l.wake))
	}
	return l, nil
}

func (l *listening) follow(w http.ResponseWriter, r *http.Request) error {
	return l.s.host.Follow(w, r, l.p.Until, &web.Feed{Wake: l.wake, Allowed: l.allowed, Little: len(l.data) == 0, Next: l.next})
}

func (l *listening) stop() {
	for _, stop := range l.stops {
		stop()
	}
}

func (l *listening) forbidden(name string) bool { return !l.s.host.Auth.Allow(*l.p, name, Read) }

func (l *listening) allowed() bool {
	return !slices.ContainsFunc(l.names, l.forbidden) && !slices.ContainsFunc(l.data, l.forbidden)
}

func (l *listening) next(ctx context.Context) (text []byte, _ bool, err error) {
	for i, name := range l.names {
		head, is := l.moved[i]()
		if !l.told {
			if head, err = l.s.actions.Head(ctx, name); err != nil {
				return nil, false, err
			}
		}
		if !l.told || is {
			text = appendHead(text, name, head)
		}
	}
	l.told = true
	text, err = l.s.appendTails(ctx, text, l.data, l.tails)
	return text, false, err
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
