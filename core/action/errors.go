package action

import "errors"

// The codes of every error that leaves this module; they are the same in Go, in HTTP bodies and in JavaScript.
const (
	CodeInvalid      = "invalid"      // a value, option or call that can never be right; Path says where
	CodeMalformed    = "malformed"    // JSON that is broken as text, or not of the form that the protocol asks for
	CodeTooLarge     = "too-large"    // over a limit
	CodeNotFound     = "not-found"    // no such object, stream or route
	CodeExists       = "exists"       // an object with this id is there already, or a data stream of another kind
	CodeContentType  = "content-type" // the data stream is of another one
	CodeGone         = "gone"         // the data stream was deleted
	CodeLocked       = "locked"       // another client holds the object's lock
	CodeClosed       = "closed"       // the stream or database was closed or destroyed; a data stream takes no more
	CodeUnsent       = "unsent"       // pending actions would be lost
	CodeDeleted      = "deleted"      // the log that was followed was deleted on purpose
	CodeQuota        = "quota"        // the browser's storage is full
	CodeStorage      = "storage"      // storage failed; what was promised before stays
	CodeCorrupt      = "corrupt"      // a stored record cannot be read
	CodeUnreachable  = "unreachable"  // the request did not reach the server, or no answer came
	CodeTimeout      = "timeout"      // the deadline of a request passed
	CodeBadAnswer    = "bad-answer"   // an answer that is not the sync protocol's (a captive portal, half a body)
	CodeUnauthorized = "unauthorized" // no valid token
	CodeForbidden    = "forbidden"    // not allowed, or not there
	CodeRateLimited  = "rate-limited" // too many requests
	CodeUnavailable  = "unavailable"  // the server cannot answer now
	CodeInternal     = "internal"     // a fault of the other side, or of ours
	CodeUpgrade      = "upgrade"      // the other side speaks something newer
	CodeEpoch        = "epoch"        // the server's log is not the one that this replica followed
	CodeClient       = "client"       // another copy of this client writes under the same id
	CodeConflict     = "conflict"     // the action was discarded whole when it reached the log
	CodeRejected     = "rejected"     // the server refused the action for good
	CodeUnknown      = "unknown"      // whether the server took the action cannot be told any more
	CodeReset        = "reset"        // the action would not stand in the log that has taken the place of the one that had it
	CodeSchema       = "schema"       // the server takes actions of newer code alone
	CodeDepends      = "depends"      // it builds on an action that was refused

	CodeReadOnly      = "read-only-offline" // conflict-free mode: what exists can be written only while the server is in reach
	CodeNothingToUndo = "nothing-to-undo"   // no action of this client can be taken back, or put back
)

// Error is an error with a stable code and, where there is one, the place of the fault as a JSON pointer.
type Error struct {
	Code    string
	Path    string // JSON pointer into what was given; empty when the whole is meant
	Message string
	Min     int  // of a schema one: the least version that the server takes
	Holder  UUID // of a locked one: the client that holds the object's lock
	Cause   error
}

func (e *Error) Error() string {
	s := e.Code
	if e.Path != "" {
		s += " at " + e.Path
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Cause }

// Retryable tells whether the same call may succeed later without a change.
func (e *Error) Retryable() bool {
	switch e.Code {
	case CodeUnreachable, CodeTimeout, CodeBadAnswer, CodeUnauthorized, CodeRateLimited, CodeUnavailable,
		CodeInternal, CodeStorage, CodeQuota:
		return true
	}
	return false
}

// Errorf-free constructors keep fmt out of the hot packages.
//
//go:noinline
func Fail(code, path, message string) *Error { return &Error{Code: code, Path: path, Message: message} }

// Under puts a pointer segment in front of the path of an *Error.
func Under(segment string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		c := *e
		c.Path = "/" + EscapePointer(segment) + e.Path
		return &c
	}
	return err
}

func EscapePointer(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '~':
			out = append(out, "~0"...)
		case '/':
			out = append(out, "~1"...)
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

// CodeOf is the stable code of an error, "internal" for one that has none.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}

// AsError is an error as one of ours; another kind gets the code.
func AsError(err error, code string) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: code, Cause: err}
}

func Malformed(path, message string) error { return Fail(CodeMalformed, path, message) }
