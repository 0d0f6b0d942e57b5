package web

import (
	"crypto/sha256"
	"encoding/hex"
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
	action.CodeDeleted:       http.StatusConflict,
	action.CodeClient:        http.StatusConflict,
	action.CodeTooLarge:      http.StatusRequestEntityTooLarge,
	"unsupported-media-type": http.StatusUnsupportedMediaType,
	action.CodeUpgrade:       http.StatusUpgradeRequired,
	action.CodeSchema:        http.StatusUpgradeRequired,
	action.CodeRateLimited:   http.StatusTooManyRequests,
	action.CodeInvalid:       http.StatusUnprocessableEntity,
	action.CodeQuota:         http.StatusInsufficientStorage,
	action.CodeExists:        http.StatusConflict,
	action.CodeGone:          http.StatusGone,
	action.CodeClosed:        http.StatusConflict,
	CodeContentType:          http.StatusConflict,
	CodeSequence:             http.StatusConflict,
	CodeFenced:               http.StatusForbidden,
	action.CodeInternal:      http.StatusInternalServerError,
	action.CodeUnavailable:   http.StatusServiceUnavailable,
}

// The codes of data streams alone.
const (
	CodeContentType = "content-type" // not the stream's
	CodeSequence    = "sequence"     // not what comes next
	CodeFenced      = "fenced"       // a newer epoch of the producer writes
)

// Problem makes an error with a code, a pointer to the place and words.
func Problem(code, pointer, message string) *action.Error {
	return &action.Error{Code: code, Path: pointer, Message: message}
}

// ProblemOf makes an error fit to be sent: one without a code tells nothing but that something failed here.
func ProblemOf(err error) *action.Error {
	var e *action.Error
	if errors.As(err, &e) && statuses[e.Code] != 0 {
		return e
	}
	return Problem(action.CodeUnavailable, "", "the server could not do it now")
}

// WriteProblem answers with application/problem+json.
func WriteProblem(w http.ResponseWriter, e *action.Error) {
	status := statuses[e.Code]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	b := append([]byte(`{"code":`), Quote(e.Code)...)
	if e.Message != "" {
		b = append(append(b, `,"detail":`...), Quote(e.Message)...)
	}
	if e.Code == action.CodeMalformed || e.Path != "" {
		b = append(append(b, `,"pointer":`...), Quote(e.Path)...)
	}
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(append(b, `,"title":`...), Quote(http.StatusText(status))...)
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

// Quote makes a JSON string of what may be no text.
func Quote(s string) []byte { return action.AppendString(nil, ValidUTF8(s)) }

// Known tells whether a code has a status.
func Known(code string) bool { return statuses[code] != 0 }

// The refusals that every room knows.
var (
	ErrForbidden = Problem(action.CodeForbidden, "", "not allowed, or not there")
	ErrTooLarge  = Problem(action.CodeTooLarge, "", "the request is over the limit")
)

// Said is a refusal's reason for people, with the place.
func Said(e *action.Error) string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + " " + e.Message
}

// Hashed names a stream in the server's own log: what apps call their streams is nobody else's business.
func Hashed(stream string) string {
	sum := sha256.Sum256([]byte(stream))
	return hex.EncodeToString(sum[:4])
}
