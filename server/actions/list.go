package actions

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// lookedAt is how many names one page of the list looks at: those that the principal may read are in it, and it may be empty.
const lookedAt = 1000

// GetStreams lists the streams that the principal may read, with their heads: a page of them, and where the next one begins.
func (s *Streams) GetStreams(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return web.Bad("", "the query cannot be read")
	}
	after := values.Get("after")
	if wrong := action.CheckStreamName(after); after != "" && wrong != "" {
		return web.Bad("/after", wrong)
	}
	heads, err := s.engine.Streams(r.Context(), after, lookedAt)
	if err != nil {
		return err
	}
	b := []byte("{")
	if len(heads) == lookedAt {
		b = append(append(append(b, `"next":`...), web.Quote(heads[lookedAt-1].Stream)...), ',')
	}
	b = append(b, `"streams":[`...)
	for _, h := range heads {
		if !s.Auth.Allow(p, h.Stream, rights.List) {
			continue
		}
		if b[len(b)-1] == '}' {
			b = append(b, ',')
		}
		b = append(b, `{"head":`...)
		b = strconv.AppendUint(b, h.Head, 10)
		b = append(append(append(b, `,"stream":`...), web.Quote(h.Stream)...), '}')
	}
	web.WriteBody(w, r, append(b, "]}"...))
	return nil
}

// DeleteLog forgets a log for good. Clients that follow it find another one, or none, in its place.
func (s *Streams) DeleteLog(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	values, err := s.StreamQuery(r, p, rights.Delete)
	if err != nil {
		return err
	}
	if err := s.delete(r.Context(), values.Get("stream")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Streams) delete(ctx context.Context, name string) error {
	st := s.stream(name)
	defer s.release(st)
	st.lock(ctx)
	defer st.mu.Unlock()
	st.loaded, st.quiet = false, 0 // also where it fails: what is there then is read
	if err := s.engine.Delete(ctx, st.name); err != nil {
		return err
	}
	st.checkpoints.forget()
	st.watchers.Announce(0)
	s.moved(st.name)
	return nil
}
