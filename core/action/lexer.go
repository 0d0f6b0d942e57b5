package action

import "strconv"

// Lexer walks JSON of any layout whose members may come in any order: the envelopes of the wire. It is not strict
// about what it skips; what counts is decoded strictly after.
type Lexer struct {
	b string
	i int
}

var errWire = Malformed("", "is not the JSON of the sync protocol")

func NewLexer(text string) *Lexer { return &Lexer{b: text} }

// Peek is the next byte, 0 at the end.
func (l *Lexer) Peek() byte {
	if l.i < len(l.b) {
		return l.b[l.i]
	}
	return 0
}

func (l *Lexer) Space() {
	for l.i < len(l.b) && (l.b[l.i] == ' ' || l.b[l.i] == '\n' || l.b[l.i] == '\t' || l.b[l.i] == '\r') {
		l.i++
	}
}

func (l *Lexer) take(c byte) bool {
	l.Space()
	if l.i < len(l.b) && l.b[l.i] == c {
		l.i++
		return true
	}
	return false
}

// Object calls f for each member, with l at its value.
func (l *Lexer) Object(f func(key string) error) error {
	if !l.take('{') {
		return Malformed("", "is no object")
	}
	if l.take('}') {
		return nil
	}
	for {
		key, err := l.Str()
		if err != nil || !l.take(':') {
			return errWire
		}
		if err := f(key); err != nil {
			return Under(key, err)
		}
		if l.take('}') {
			return nil
		}
		if !l.take(',') {
			return errWire
		}
	}
}

// Array calls f for each element, with l at it.
func (l *Lexer) Array(f func(i int) error) error {
	if !l.take('[') {
		return Malformed("", "is no array")
	}
	if l.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		if err := f(i); err != nil {
			return Under(strconv.Itoa(i), err)
		}
		if l.take(']') {
			return nil
		}
		if !l.take(',') {
			return errWire
		}
	}
}

func (l *Lexer) Str() (string, error) {
	l.Space()
	if l.i >= len(l.b) || l.b[l.i] != '"' {
		return "", Malformed("", "is no string")
	}
	c := canonizer{in: l.b, i: l.i}
	s, err := c.str()
	l.i = c.i
	return s, err
}

func (l *Lexer) Uint() (uint64, error) {
	l.Space()
	c := Cursor{b: l.b, i: l.i}
	n, err := c.Integer()
	l.i = c.i
	return n, err
}

func (l *Lexer) Boolean() (bool, error) {
	l.Space()
	c := Cursor{b: l.b, i: l.i}
	v, err := c.boolean()
	l.i = c.i
	return v, err
}

func (l *Lexer) UUID() (UUID, error) {
	s, err := l.Str()
	if err != nil {
		return Nil, err
	}
	if u, ok := ParseUUID(s); ok {
		return u, nil
	}
	return Nil, Malformed("", "is no lower-case UUID")
}

func (l *Lexer) Chain() (Chain, error) {
	s, err := l.Str()
	if err != nil {
		return 0, err
	}
	if c, ok := ParseChain(s); ok {
		return c, nil
	}
	return 0, Malformed("", "is no chain of sixteen hex digits")
}

// Raw skips one value and gives its text.
func (l *Lexer) Raw() (string, error) {
	l.Space()
	start, depth := l.i, 0
	for l.i < len(l.b) {
		switch l.b[l.i] {
		case '"':
			for l.i++; l.i < len(l.b) && l.b[l.i] != '"'; l.i++ {
				if l.b[l.i] == '\\' {
					l.i++
				}
			}
			if l.i >= len(l.b) {
				return "", errWire
			}
			l.i++
		case '{', '[':
			depth++
			l.i++
			continue
		case '}', ']':
			if depth == 0 {
				return "", errWire
			}
			depth--
			l.i++
		case ',', ':', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return "", errWire
			}
			l.i++
			continue
		default:
			for l.i < len(l.b) && !isDelimiter(l.b[l.i]) {
				l.i++
			}
		}
		if depth == 0 {
			return l.b[start:l.i], nil
		}
	}
	return "", errWire
}

func isDelimiter(c byte) bool {
	switch c {
	case ',', ':', ' ', '\n', '\t', '\r', '}', ']', '{', '[', '"':
		return true
	}
	return false
}

// End fails where something follows.
func (l *Lexer) End() error {
	l.Space()
	if l.i != len(l.b) {
		return errWire
	}
	return nil
}
