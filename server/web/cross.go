package web

import (
	"net/http"
	"slices"
	"strings"
)

// The headers that pages of other origins may send and read.
var (
	corsSend = strings.Join([]string{"Authorization", "Last-Event-ID", "Content-Type", "Content-Encoding", "If-None-Match", "Strandline-Version", "Strandline-Entry", "Strandline-After", "Stream-Content-Type",
		"Stream-Seq", "Stream-TTL", "Stream-Expires-At", "Stream-Closed", "Stream-Forked-From", "Stream-Fork-Offset", "Stream-Fork-Sub-Offset",
		"Producer-Id", "Producer-Epoch", "Producer-Seq", "Upload-Offset", "Upload-Complete"}, ", ")
	corsRead = strings.Join([]string{"Retry-After", "Strandline-Version", "Strandline-Head", "Strandline-From", "ETag", "Location",
		"Stream-Next-Offset", "Stream-Cursor", "Stream-Up-To-Date", "Stream-Closed", "Stream-TTL", "Stream-Expires-At",
		"Stream-SSE-Data-Encoding", "Stream-Content-Type",
		"Producer-Epoch", "Producer-Seq", "Producer-Expected-Seq", "Producer-Received-Seq", "Upload-Offset", "Upload-Complete"}, ", ")
)

// Cross answers browsers from other origins: exactly those that were named. What headers there are is no secret; without an allowed origin
// it allows nothing.
func (s *Host) Cross(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Headers", corsSend)
	}
	if len(s.CORS) == 0 {
		return
	}
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.CORS, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", corsRead)
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, PUT, POST, DELETE")
		h.Set("Access-Control-Max-Age", "7200")
	}
}

// CrossSite tells of a write that a page of another site makes without having been named: browsers let it pass, unasked, where its body has
// one of the types that forms have.
func (s *Host) CrossSite(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin != "" && slices.Contains(s.CORS, origin) {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	case "": // of a browser that does not say so: its Origin is another one than what it calls
		_, host, found := strings.Cut(origin, "://")
		return origin != "" && (!found || host != r.Host)
	}
	return false
}

// Guard keeps browsers from taking a stream's bytes for something else, or for a page that was not named.
func (s *Host) Guard(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'") // whoever may append could else append a page of this origin
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if len(s.CORS) > 0 {
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
}
