package server

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// getStreams lists the streams that the principal may read, with their heads.
func (s *Server) getStreams(w http.ResponseWriter, r *http.Request, p Principal) error {
	heads, err := s.Engine.Streams(r.Context())
	if err != nil {
		return err
	}
	b := []byte(`{"streams":[`)
	for _, name := range slices.Sorted(maps.Keys(heads)) {
		if !s.Auth.Allow(p, name, Read) {
			continue
		}
		if b[len(b)-1] == '}' {
			b = append(b, ',')
		}
		b = append(b, `{"head":`...)
		b = strconv.AppendUint(b, heads[name], 10)
		b = append(append(append(b, `,"stream":`...), quote(name)...), '}')
	}
	writeBody(w, r, append(b, "]}"...))
	return nil
}

// deleteLog forgets a log for good. Clients that follow it find another one, or none, in its place.
func (s *Server) deleteLog(w http.ResponseWriter, r *http.Request, p Principal) error {
	values, err := s.readQuery(r, p, Delete)
	if err != nil {
		return err
	}
	st := s.stream(values.Get("stream"))
	defer s.release(st)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.loaded = false // also where it fails: what is there then is read
	if err := s.Engine.Delete(r.Context(), st.name); err != nil {
		return err
	}
	st.checkpoints.forget()
	st.watchers.announce(0)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
