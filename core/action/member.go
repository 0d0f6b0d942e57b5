package action

// MemberOf is the text of a member of a canonical object; empty where there is none.
func MemberOf(object, name string) (text string) {
	l := NewLexer(object)
	_ = l.Object(func(key string) error {
		value, err := l.Raw()
		if key == name {
			text = value
		}
		return err
	})
	return text
}
