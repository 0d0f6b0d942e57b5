package server

import (
	"slices"

	"github.com/strandline-sync/strandline/server/web"

	"net/http"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/data"
)

// ProtocolVersion is what this server speaks.
const ProtocolVersion = 1

type handler func(w http.ResponseWriter, r *http.Request, p Principal) error

// dataRoute stands for the paths of data streams.
const dataRoute = "/v1/data/"

// table has the paths and methods.
func (s *Server) table() map[string]map[string]handler {
	return map[string]map[string]handler{
		"/v1/sync":       {http.MethodPost: s.actions.PostSync},
		"/v1/log":        {http.MethodGet: s.actions.GetLog, http.MethodDelete: s.actions.DeleteLog},
		"/v1/events":     {http.MethodGet: s.getEvents, http.MethodPost: s.postEvents},
		"/v1/streams":    {http.MethodGet: s.actions.GetStreams},
		"/v1/history":    {http.MethodGet: s.actions.GetHistory},
		"/v1/checkpoint": {http.MethodGet: s.actions.GetCheckpoint},
		dataRoute: {http.MethodPut: s.data.Put, http.MethodPost: s.data.Post, http.MethodGet: s.data.Get, http.MethodHead: s.data.Get,
			http.MethodDelete: s.data.Remove},
	}
}

// Routes lists the routes that every server has: a method, and a path.
func Routes() (out []string) {
	for path, methods := range (&Server{}).table() {
		for method := range methods {
			out = append(out, method+" "+path)
		}
	}
	slices.Sort(out)
	return out
}

func (s *Server) routes() http.Handler {
	routes := s.table()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.host.Cross(w, r)
		methods := routes[r.URL.Path]
		if _, ok := data.Path(r.URL.Path); ok {
			methods = routes[dataRoute]
			s.host.Guard(w.Header())
		}
		if err := s.route(w, r, methods); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// refuse answers with an error.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := web.ProblemOf(err)
	if (e.Code == action.CodeUnavailable || e.Code == action.CodeInternal) && r.Context().Err() == nil {
		s.host.Log.Error("a request failed", "route", web.RouteOf(r.URL.Path), "error", err)
	}
	web.WriteProblem(w, e)
}

// route keeps the precedence of errors: route, method, version, authorization; media type, size and form are the handler's.
func (s *Server) route(w http.ResponseWriter, r *http.Request, methods map[string]handler) error {
	h, p, err := s.admit(w, r, methods)
	if h == nil || err != nil {
		return err
	}
	r, work, err := s.begin(r, p.Subject)
	defer work.End()
	if err != nil {
		return err
	}
	return h(w, r, p)
}

// begin makes the work of a request, which has a processor, but where it has a body: once that has come.
func (s *Server) begin(r *http.Request, principal string) (*http.Request, *web.Work, error) {
	ctx, work := s.host.Gate.Begin(r.Context(), web.AskerOf(r, principal))
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		return r.WithContext(ctx), work, nil
	}
	return r.WithContext(ctx), work, work.Resume(ctx)
}

// admit finds who answers a request, and whose it is; nobody, where it is answered. It is a function of its own, as its frame is not to lie below a
// connection that waits.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, methods map[string]handler) (h handler, p Principal, err error) {
	if methods == nil {
		return nil, p, web.Problem(action.CodeNotFound, "", "no such route")
	}
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return nil, p, nil
	}
	h = methods[r.Method]
	if h == nil {
		for m := range methods {
			w.Header().Add("Allow", m)
		}
		return nil, p, web.Problem("method", "", "this route does not take "+web.ValidUTF8(r.Method))
	}
	if v := r.Header.Get("Strandline-Version"); v != "" && v != strconv.Itoa(ProtocolVersion) {
		w.Header().Set("Strandline-Version", strconv.Itoa(ProtocolVersion))
		return nil, p, web.Problem(action.CodeUpgrade, "", "this server speaks version "+strconv.Itoa(ProtocolVersion))
	}
	p, err = s.host.Auth.Authenticate(r)
	if err != nil {
		if action.CodeOf(err) == action.CodeUnauthorized { // who guesses tokens is slow
			address := web.AskerOf(r, "")[1]
			s.host.Log.Debug("nobody can be told", "address", address)
			if wait := s.guesses.Take(address); wait > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(wait))
				return nil, p, web.Problem(action.CodeRateLimited, "", "too many requests without a valid token")
			}
		}
		return nil, p, err
	}
	if _, ofData := data.Path(r.URL.Path); ofData && s.host.CrossSite(r) {
		return nil, p, web.ErrForbidden
	}
	if wait := s.host.Limiter.Take(p.Subject); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
		return nil, p, web.Problem(action.CodeRateLimited, "", "too many requests")
	}
	return h, p, nil
}
