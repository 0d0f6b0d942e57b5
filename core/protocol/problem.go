package protocol

import (
	"github.com/strandline-sync/strandline/core/action"
)

// DecodeProblem makes the error that an application/problem+json body describes; one that does not parse is a bad-answer.
func DecodeProblem(text string) *action.Error {
	e := &action.Error{}
	l := action.NewLexer(text)
	err := l.Object(func(key string) (err error) {
		switch key {
		case "code":
			e.Code, err = l.Str()
		case "detail":
			e.Message, err = l.Str()
		case "pointer":
			e.Path, err = l.Str()
		default:
			_, err = l.Raw()
		}
		return err
	})
	if err != nil || l.End() != nil || e.Code == "" {
		return &action.Error{Code: action.CodeBadAnswer, Message: "the server's problem cannot be read"}
	}
	return e
}
