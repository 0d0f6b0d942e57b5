package server

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
)

// statuses is the one table from codes to HTTP statuses.
var statuses = map[string]int{
	action.CodeMalformed:     http.StatusBadRequest,
	action.CodeUnauthorized:  http.StatusUnauthorized,
	action.CodeForbidden:     http.StatusForbidden,
	action.CodeNotFound:      http.StatusNotFound,
	"method":                 http.StatusMethodNotAllowed,
	action.CodeEpoch:         http.StatusConflict,
	action.CodeClient:        http.StatusConflict,
	action.CodeTooLarge:      http.StatusRequestEntityTooLarge,
	"unsupported-media-type": http.StatusUnsupportedMediaType,
	action.CodeUpgrade:       http.StatusUpgradeRequired,
	action.CodeRateLimited:   http.StatusTooManyRequests,
	action.CodeInvalid:       http.StatusUnprocessableEntity,
	action.CodeExists:        http.StatusConflict,
	action.CodeGone:          http.StatusGone,
	action.CodeClosed:        http.StatusConflict,
	codeContentType:          http.StatusConflict,
	codeSequence:             http.StatusConflict,
	codeFenced:               http.StatusForbidden,
	action.CodeInternal:      http.StatusInternalServerError,
	action.CodeUnavailable:   http.StatusServiceUnavailable,
}

// The codes of data streams alone.
const (
	codeContentType = "content-type" // not the stream's
	codeSequence    = "sequence"     // not what comes next
	codeFenced      = "fenced"       // a newer epoch of the producer writes
)

func problem(code, pointer, message string) *action.Error {
	return &action.Error{Code: code, Path: pointer, Message: message}
}

// problemOf makes an error fit to be sent: one without a code tells nothing but that something failed here.
func problemOf(err error) *action.Error {
	var e *action.Error
	if errors.As(err, &e) && statuses[e.Code] != 0 {
		return e
	}
	return problem(action.CodeUnavailable, "", "the server could not do it now")
}

// writeProblem answers with application/problem+json.
func writeProblem(w http.ResponseWriter, e *action.Error) {
	status := statuses[e.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	b := append([]byte(`{"code":`), quote(e.Code)...)
	if e.Message != "" {
		b = append(append(b, `,"detail":`...), quote(e.Message)...)
	}
	if e.Code == action.CodeMalformed || e.Path != "" {
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

func quote(s string) []byte { return action.AppendString(nil, validUTF8(s)) }
