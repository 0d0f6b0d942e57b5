//go:build js && wasm

package idbstore

import (
	"errors"
	"strings"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"github.com/strandline-sync/strandline/core/action"
)

// mapError is the one place where what the browser throws or delivers becomes an error of the core. Thrown errors and
// delivered ones have different Go types; their DOM names tell what they are.
func mapError(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *action.Error
	if errors.As(err, &known) {
		return err
	}
	code := action.CodeStorage
	switch domName(err) {
	case "QuotaExceededError":
		code = action.CodeQuota
	case "VersionError":
		code = action.CodeUpgrade
	}
	return &action.Error{Code: code, Message: op, Cause: err}
}

func domName(err error) string {
	for _, name := range [...]string{"QuotaExceededError", "ConstraintError", "VersionError", "AbortError", "UnknownError", "InvalidStateError"} {
		if errors.Is(err, idb.NewDOMException(name)) {
			return name
		}
	}
	var thrown js.Error
	if errors.As(err, &thrown) {
		return nameOf(thrown.Value)
	}
	var pointer *js.Error
	if errors.As(err, &pointer) {
		return nameOf(pointer.Value)
	}
	return ""
}

func nameOf(v js.Value) string {
	if v.Type() != js.TypeObject {
		return ""
	}
	if name := v.Get("name"); name.Type() == js.TypeString {
		return name.String()
	}
	return ""
}

// frameMayHelp tells whether an open has failed with what WebKit says when the process that serves the page's databases is gone: it was
// answered, and the answer is no verdict on this database.
func frameMayHelp(err error) bool {
	var known *action.Error
	if err == nil || errors.As(err, &known) {
		return false
	}
	switch domName(err) {
	case "UnknownError", "InvalidStateError", "AbortError":
		return true
	}
	return false
}

// Damaged tells whether an open has failed with what WebKit says, for ever, of a database whose file is damaged.
func Damaged(err error) bool {
	return domName(err) == "UnknownError" && strings.Contains(err.Error(), "nable to open database file")
}
