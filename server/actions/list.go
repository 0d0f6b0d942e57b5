package actions

import (
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// GetStreams lists the streams that the principal may read, with their heads.
func (s *Streams) GetStreams(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	heads, err := s.engine.Streams(r.Context())
	if err != nil {
		return err
	}
	b := []byte(`{"streams":[`)
	for _, name := range slices.Sorted(maps.Keys(heads)) {
		if !s.Auth.Allow(p, name, rights.Read) {
			continue
		}
		if b[len(b)-1] == '}' {
			b = append(b, ',')
		}
		b = append(b, `{"head":`...)
		b = strconv.AppendUint(b, heads[name], 10)
		b = append(append(append(b, `,"stream":`...), web.Quote(name)...), '}')
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
	st := s.stream(values.Get("stream"))
	defer s.release(st)
	st.lock(r.Context())
	defer st.mu.Unlock()
	st.loaded = false // also where it fails: what is there then is read
	if err := s.engine.Delete(r.Context(), st.name); err != nil {
		return err
	}
	st.checkpoints.forget()
	st.watchers.Announce(0)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
