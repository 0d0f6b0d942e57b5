package core

import "strconv"

// lexer walks JSON of any layout whose members may come in any order: the envelopes of the wire. It is not strict
// about what it skips; what counts is decoded strictly after.
type lexer struct {
	b string
	i int
}

var errWire = malformed("", "is not the JSON of the sync protocol")

func newLexer(text string) *lexer { return &lexer{b: text} }

// peek is the next byte, 0 at the end.
func (l *lexer) peek() byte {
	if l.i < len(l.b) {
		return l.b[l.i]
	}
	return 0
}

func (l *lexer) space() {
	for l.i < len(l.b) && (l.b[l.i] == ' ' || l.b[l.i] == '\n' || l.b[l.i] == '\t' || l.b[l.i] == '\r') {
		l.i++
	}
}

func (l *lexer) take(c byte) bool {
	l.space()
	if l.i < len(l.b) && l.b[l.i] == c {
		l.i++
		return true
	}
	return false
}

// object calls f for each member, with l at its value.
func (l *lexer) object(f func(key string) error) error {
	if !l.take('{') {
		return malformed("", "is no object")
	}
	if l.take('}') {
		return nil
	}
	for {
		key, err := l.str()
		if err != nil || !l.take(':') {
			return errWire
		}
		if err := f(key); err != nil {
			return under(key, err)
		}
		if l.take('}') {
			return nil
		}
		if !l.take(',') {
			return errWire
		}
	}
}

// array calls f for each element, with l at it.
func (l *lexer) array(f func(i int) error) error {
	if !l.take('[') {
		return malformed("", "is no array")
	}
	if l.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		if err := f(i); err != nil {
			return under(strconv.Itoa(i), err)
		}
		if l.take(']') {
			return nil
		}
		if !l.take(',') {
			return errWire
		}
	}
}

func (l *lexer) str() (string, error) {
	l.space()
	if l.i >= len(l.b) || l.b[l.i] != '"' {
		return "", malformed("", "is no string")
	}
	c := canonizer{in: l.b, i: l.i}
	s, err := c.str()
	l.i = c.i
	return s, err
}

func (l *lexer) uint() (uint64, error) {
	l.space()
	c := cursor{b: l.b, i: l.i}
	n, err := c.integer()
	l.i = c.i
	return n, err
}

func (l *lexer) boolean() (bool, error) {
	l.space()
	c := cursor{b: l.b, i: l.i}
	v, err := c.boolean()
	l.i = c.i
	return v, err
}

func (l *lexer) uuid() (UUID, error) {
	s, err := l.str()
	if err != nil {
		return Nil, err
	}
	if u, ok := ParseUUID(s); ok {
		return u, nil
	}
	return Nil, malformed("", "is no lower-case UUID")
}

func (l *lexer) chain() (Chain, error) {
	s, err := l.str()
	if err != nil {
		return 0, err
	}
	if c, ok := ParseChain(s); ok {
		return c, nil
	}
	return 0, malformed("", "is no chain of sixteen hex digits")
}

// raw skips one value and gives its text.
func (l *lexer) raw() (string, error) {
	l.space()
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

// end fails where something follows.
func (l *lexer) end() error {
	l.space()
	if l.i != len(l.b) {
		return errWire
	}
	return nil
}
