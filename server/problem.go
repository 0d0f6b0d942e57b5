package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/strandline-sync/strandline/core"
)

// statuses is the one table from codes to HTTP statuses.
var statuses = map[string]int{
	core.CodeMalformed:       http.StatusBadRequest,
	core.CodeUnauthorized:    http.StatusUnauthorized,
	core.CodeForbidden:       http.StatusForbidden,
	core.CodeNotFound:        http.StatusNotFound,
	"method":                 http.StatusMethodNotAllowed,
	core.CodeEpoch:           http.StatusConflict,
	core.CodeClient:          http.StatusConflict,
	core.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	"unsupported-media-type": http.StatusUnsupportedMediaType,
	core.CodeUpgrade:         http.StatusUpgradeRequired,
	core.CodeRateLimited:     http.StatusTooManyRequests,
	core.CodeInvalid:         http.StatusUnprocessableEntity,
	core.CodeExists:          http.StatusConflict,
	core.CodeGone:            http.StatusGone,
	core.CodeClosed:          http.StatusConflict,
	codeContentType:          http.StatusConflict,
	codeSequence:             http.StatusConflict,
	codeFenced:               http.StatusForbidden,
	core.CodeInternal:        http.StatusInternalServerError,
	core.CodeUnavailable:     http.StatusServiceUnavailable,
}

// The codes of data streams alone.
const (
	codeContentType = "content-type" // not the stream's
	codeSequence    = "sequence"     // not what comes next
	codeFenced      = "fenced"       // a newer epoch of the producer writes
)

func problem(code, pointer, message string) *core.Error {
	return &core.Error{Code: code, Path: pointer, Message: message}
}

// problemOf makes an error fit to be sent: one without a code tells nothing but that something failed here.
func problemOf(err error) *core.Error {
	var e *core.Error
	if errors.As(err, &e) && statuses[e.Code] != 0 {
		return e
	}
	return problem(core.CodeUnavailable, "", "the server could not do it now")
}

// writeProblem answers with application/problem+json.
func writeProblem(w http.ResponseWriter, e *core.Error) {
	status := statuses[e.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	b := append([]byte(`{"code":`), quote(e.Code)...)
	if e.Message != "" {
		b = append(append(b, `,"detail":`...), quote(e.Message)...)
	}
	if e.Code == core.CodeMalformed || e.Path != "" {
		b = append(append(b, `,"pointer":`...), quote(e.Path)...)
	}
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(b, `,"title":`...), quote(http.StatusText(status))...)
	b = append(b, `,"type":"about:blank"}`...)
	h := w.Header()
	if (status == http.StatusServiceUnavailable) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", "1")
	}
	if status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Encoding")
	w.WriteHeader(status)
	w.Write(b)
}

func quote(s string) []byte { return core.AppendString(nil, validUTF8(s)) }
