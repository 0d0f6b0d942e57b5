package server

import (
	"context"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// ProtocolVersion is what this server speaks.
const ProtocolVersion = 1

type handler func(w http.ResponseWriter, r *http.Request, p Principal) error

// routes is the table of paths and methods.
func (s *Server) routes() http.Handler {
	routes := map[string]map[string]handler{
		"/v1/sync":       {http.MethodPost: s.postSync},
		"/v1/log":        {http.MethodGet: s.getLog, http.MethodDelete: s.deleteLog},
		"/v1/events":     {http.MethodGet: s.getEvents, http.MethodPost: s.postEvents},
		"/v1/streams":    {http.MethodGet: s.getStreams},
		"/v1/checkpoint": {http.MethodGet: s.getCheckpoint},
	}
	data := map[string]handler{http.MethodPut: s.putData, http.MethodPost: s.postData, http.MethodGet: s.getData, http.MethodHead: s.getData,
		http.MethodDelete: s.deleteData}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.cors(w, r)
		methods := routes[r.URL.Path]
		if _, ok := dataPath(r.URL.Path); ok {
			methods = data
			s.guard(w.Header())
		}
		err := s.route(w, r, methods)
		if err == nil {
			return
		}
		e := problemOf(err)
		if (e.Code == action.CodeUnavailable || e.Code == action.CodeInternal) && r.Context().Err() == nil {
			s.Log.Error("a request failed", "path", r.URL.Path, "error", err)
		}
		writeProblem(w, e)
	})
}

// route keeps the precedence of errors: route, method, version, authorization; media type, size and form are the handler's.
func (s *Server) route(w http.ResponseWriter, r *http.Request, methods map[string]handler) error {
	if methods == nil {
		return problem(action.CodeNotFound, "", "no such route")
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	h := methods[r.Method]
	if h == nil {
		for m := range methods {
			w.Header().Add("Allow", m)
		}
		return problem("method", "", "this route does not take "+validUTF8(r.Method))
	}
	if v := r.Header.Get("Strandline-Version"); v != "" && v != strconv.Itoa(ProtocolVersion) {
		w.Header().Set("Strandline-Version", strconv.Itoa(ProtocolVersion))
		return problem(action.CodeUpgrade, "", "this server speaks version "+strconv.Itoa(ProtocolVersion))
	}
	p, err := s.Auth.Authenticate(r)
	if err != nil {
		return err
	}
	// Without authentication there is nobody to tell apart: the limit keeps one client's loop from running hot, which reads and writes a stream as
	// fast as it can on purpose.
	_, data := dataPath(r.URL.Path)
	if data && s.crossSite(r) {
		return errForbidden
	}
	_, open := s.Auth.(none)
	if wait := s.limiter.take(p.Subject); wait > 0 && !(data && open) {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		return problem(action.CodeRateLimited, "", "too many requests")
	}
	return h(w, r, p)
}

func (s *Server) postSync(w http.ResponseWriter, r *http.Request, p Principal) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem("unsupported-media-type", "", "a sync request is application/json")
	}
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	out, err := s.Sync(r.Context(), p, string(body))
	if err != nil {
		return err
	}
	writeBody(w, r, out)
	return nil
}

// maxAnswer bounds the entries of one answer, over all its streams.
const maxAnswer = 4 * protocol.MaxAnswerBytes

// Sync answers the body of one sync request: what POST /v1/sync does, without HTTP.
func (s *Server) Sync(ctx context.Context, p Principal, body string) ([]byte, error) {
	items, bytes, err := protocol.DecodeSyncRequest(body)
	if err != nil {
		return nil, err
	}
	b := []byte(`{"streams":[`)
	room := min(maxAnswer, bytes)
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		a := s.turn(ctx, p, &items[i], &room)
		b = a.append(b)
	}
	return append(b, "]}"...), nil
}

// append writes the answer. Its members are sorted.
func (a *answer) append(b []byte) []byte {
	b = append(b, '{')
	if a.hasChain {
		b = append(b, `"chain":"`...)
		b = append(a.log.Chain.Append(b), `",`...)
	}
	if a.offer != nil {
		b = appendOffer(b, a.stream, a.offer)
	}
	if len(a.entries) > 0 {
		b = append(b, `"entries":`...)
		b = append(appendEntries(b, a.after, a.entries), ',')
	}
	if a.log.Epoch != action.Nil {
		b = append(b, `"epoch":"`...)
		b = append(a.log.Epoch.Append(b), `",`...)
	}
	if a.err != nil {
		b = append(append(b, `"error":{"code":`...), quote(a.err.Code)...)
		b = append(append(b, `,"message":`...), quote(said(a.err))...)
		b = append(b, `},`...)
	}
	b = append(b, `"head":`...)
	b = strconv.AppendUint(b, a.log.Head, 10)
	if len(a.persisted) > 0 {
		b = append(b, `,"persisted":[`...)
		for i, id := range a.persisted {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"id":"`...)
			b = append(id.Append(b), `","index":`...)
			b = append(strconv.AppendUint(b, a.after+1+uint64(i), 10), '}')
		}
		b = append(b, ']')
	}
	if len(a.rejected) > 0 {
		b = append(b, `,"rejected":[`...)
		for i, j := range a.rejected {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, `{"code":`...), quote(j.Code)...)
			b = append(b, `,"id":"`...)
			b = append(j.ID.Append(b), `","message":`...)
			b = append(append(b, quote(j.Message)...), '}')
		}
		b = append(b, ']')
	}
	b = append(append(b, `,"stream":`...), quote(a.stream)...)
	if a.turn > 0 {
		b = append(b, `,"turn":`...)
		b = strconv.AppendInt(b, a.turn.Milliseconds(), 10)
	}
	return append(b, '}')
}

// appendEntries writes entries after an index; the actions' bytes are sent as they were stored.
func appendEntries(b []byte, after uint64, entries []Entry) []byte {
	b = append(b, '[')
	for i := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, after+1+uint64(i), &entries[i])
	}
	return append(b, ']')
}

func appendEntry(b []byte, index uint64, e *Entry) []byte {
	b = append(append(b, `{"action":`...), e.Raw...)
	b = append(append(b, `,"by":`...), quote(e.By)...)
	b = append(b, `,"index":`...)
	b = strconv.AppendUint(b, index, 10)
	b = append(b, `,"stored":"`...)
	b = time.UnixMilli(e.Stored).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, `"}`...)
}
