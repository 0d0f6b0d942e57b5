package core

// DecodeProblem makes the error that an application/problem+json body describes; one that does not parse is a bad-answer.
func DecodeProblem(text string) *Error {
	e := &Error{}
	l := newLexer(text)
	err := l.object(func(key string) (err error) {
		switch key {
		case "code":
			e.Code, err = l.str()
		case "detail":
			e.Message, err = l.str()
		case "pointer":
			e.Path, err = l.str()
		default:
			_, err = l.raw()
		}
		return err
	})
	if err != nil || l.end() != nil || e.Code == "" {
		return &Error{Code: CodeBadAnswer, Message: "the server's problem cannot be read"}
	}
	return e
}
