package action

import (
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// View makes a string of b without a copy. b is never written again.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Canonical puts one JSON value into the form of RFC 8785. A text that has that form already is returned as it is,
// without a copy. depth is how many levels of nesting the value may have.
// A broken text gives a malformed *Error with a JSON pointer to the place.
func Canonical(text string, depth int) (string, error) {
	if end := canonicalEnd(text, 0, depth); end == len(text) {
		return text, nil
	}
	c := canonizer{in: text, out: make([]byte, 0, len(text))}
	c.space()
	if err := c.value(depth); err != nil {
		return "", err
	}
	c.space()
	if c.i != len(c.in) {
		return "", Fail(CodeMalformed, "", "text after the value, at byte "+strconv.Itoa(c.i))
	}
	return View(c.out), nil
}

// canonicalEnd is the end of the canonical value at b[i], or -1 when there is none: broken, or not in canonical form.
func canonicalEnd(b string, i, depth int) int {
	if i < 0 || i >= len(b) {
		return -1
	}
	switch c := b[i]; {
	case c == '"':
		return canonicalString(b, i)
	case c == '{':
		if depth == 0 {
			return -1
		}
		i++
		if i < len(b) && b[i] == '}' {
			return i + 1
		}
		last, first := "", true
		for {
			end := canonicalString(b, i)
			if end < 0 || end >= len(b) || b[end] != ':' {
				return -1
			}
			key := Unquote(b[i:end])
			if !first && CompareKeys(last, key) >= 0 {
				return -1
			}
			last, first = key, false
			i = canonicalEnd(b, end+1, depth-1)
			if i < 0 || i >= len(b) {
				return -1
			}
			if b[i] == '}' {
				return i + 1
			}
			if b[i] != ',' {
				return -1
			}
			i++
		}
	case c == '[':
		if depth == 0 {
			return -1
		}
		i++
		if i < len(b) && b[i] == ']' {
			return i + 1
		}
		for {
			i = canonicalEnd(b, i, depth-1)
			if i < 0 || i >= len(b) {
				return -1
			}
			if b[i] == ']' {
				return i + 1
			}
			if b[i] != ',' {
				return -1
			}
			i++
		}
	case c == '-' || c-'0' < 10:
		end, plain := numberEnd(b, i)
		if end < 0 || plain {
			return end
		}
		f, ok := ParseNumber(b[i:end])
		var buf [32]byte
		if !ok || string(AppendNumber(buf[:0], f)) != b[i:end] {
			return -1
		}
		return end
	default:
		for _, w := range [...]string{"true", "false", "null"} {
			if len(b)-i >= len(w) && b[i:i+len(w)] == w {
				return i + len(w)
			}
		}
		return -1
	}
}

// canonicalString is the end of the canonical string at b[i], or -1.
func canonicalString(b string, i int) int {
	if i < 0 || i >= len(b) || b[i] != '"' {
		return -1
	}
	for i++; i < len(b); {
		c := b[i]
		switch {
		case c == '"':
			return i + 1
		case c == '\\':
			if i+1 >= len(b) {
				return -1
			}
			switch b[i+1] {
			case '"', '\\', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				if i+6 > len(b) || b[i+2] != '0' || b[i+3] != '0' || b[i+4] > '1' || b[i+4] < '0' || unhex[b[i+5]] > 15 {
					return -1
				}
				if shortEscape[(b[i+4]-'0')<<4|unhex[b[i+5]]] != 0 {
					return -1
				}
				i += 6
			default:
				return -1
			}
		case c < 0x20:
			return -1
		case c < 0x80:
			i++
		default:
			r, n := utf8.DecodeRuneInString(b[i:])
			if r == utf8.RuneError && n == 1 {
				return -1
			}
			i += n
		}
	}
	return -1
}

// shortEscape has, for each control character, the letter of its two-character escape, or 0.
var shortEscape = [32]byte{'\b': 'b', '\t': 't', '\n': 'n', '\f': 'f', '\r': 'r'}

// Unquote decodes a canonical string, quotes included. It copies only where there are escapes.
func Unquote(quoted string) string {
	s := quoted[1 : len(quoted)-1]
	i := 0
	for i < len(s) && s[i] != '\\' {
		i++
	}
	if i == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '\\' {
			out = append(out, s[i])
			i++
			continue
		}
		switch c := s[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			out = append(out, unhex[s[i+4]]<<4|unhex[s[i+5]])
			i += 4
		default:
			out = append(out, c)
		}
		i += 2
	}
	return View(out)
}

// AppendString writes s, which is valid UTF-8, as a canonical JSON string.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case shortEscape[c] != 0:
			dst = append(dst, '\\', shortEscape[c])
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// canonizer rewrites any JSON text in canonical form.
type canonizer struct {
	in      string
	i       int
	out     []byte
	scratch []byte
}

func (c *canonizer) space() {
	for c.i < len(c.in) {
		switch c.in[c.i] {
		case ' ', '\t', '\n', '\r':
			c.i++
		default:
			return
		}
	}
}

func (c *canonizer) broken(what string) error {
	return Fail(CodeMalformed, "", what+" at byte "+strconv.Itoa(c.i))
}

func (c *canonizer) value(depth int) error {
	if c.i >= len(c.in) {
		return c.broken("the text ends")
	}
	switch ch := c.in[c.i]; {
	case ch == '"':
		s, err := c.str()
		if err != nil {
			return err
		}
		c.out = AppendString(c.out, s)
		return nil
	case ch == '{' || ch == '[':
		if depth == 0 {
			return c.broken("nested too deep")
		}
		c.i++
		if ch == '{' {
			return c.object(depth - 1)
		}
		return c.array(depth - 1)
	case ch == '-' || ch-'0' < 10:
		end, plain := numberEnd(c.in, c.i)
		if end < 0 {
			return c.broken("a broken number")
		}
		text := c.in[c.i:end]
		if plain {
			c.out = append(c.out, text...)
		} else {
			f, ok := ParseNumber(text)
			if !ok {
				return c.broken("a number beyond a double")
			}
			c.out = AppendNumber(c.out, f)
		}
		c.i = end
		return nil
	default:
		for _, w := range [...]string{"true", "false", "null"} {
			if len(c.in)-c.i >= len(w) && c.in[c.i:c.i+len(w)] == w {
				c.out = append(c.out, w...)
				c.i += len(w)
				return nil
			}
		}
		return c.broken("no JSON value")
	}
}

func (c *canonizer) array(depth int) error {
	c.out = append(c.out, '[')
	c.space()
	if c.i < len(c.in) && c.in[c.i] == ']' {
		c.i++
		c.out = append(c.out, ']')
		return nil
	}
	for n := 0; ; n++ {
		c.space()
		if err := c.value(depth); err != nil {
			return Under(strconv.Itoa(n), err)
		}
		c.space()
		if c.i >= len(c.in) {
			return c.broken("an array that does not end")
		}
		switch c.in[c.i] {
		case ',':
			c.i++
			c.out = append(c.out, ',')
		case ']':
			c.i++
			c.out = append(c.out, ']')
			return nil
		default:
			return c.broken("neither , nor ]")
		}
	}
}

type member struct {
	key        string
	start, end int // of "key":value in out
}

func (c *canonizer) object(depth int) error {
	c.out = append(c.out, '{')
	body := len(c.out)
	c.space()
	if c.i < len(c.in) && c.in[c.i] == '}' {
		c.i++
		c.out = append(c.out, '}')
		return nil
	}
	var few [16]member
	members, sorted := few[:0], true
	for {
		c.space()
		if c.i >= len(c.in) || c.in[c.i] != '"' {
			return c.broken("a member without a name")
		}
		key, err := c.str()
		if err != nil {
			return err
		}
		m := member{key: key, start: len(c.out)}
		c.out = append(AppendString(c.out, key), ':')
		c.space()
		if c.i >= len(c.in) || c.in[c.i] != ':' {
			return c.broken("a name without a value")
		}
		c.i++
		c.space()
		if err := c.value(depth); err != nil {
			return Under(key, err)
		}
		m.end = len(c.out)
		sorted = sorted && (len(members) == 0 || CompareKeys(members[len(members)-1].key, key) < 0)
		members = append(members, m)
		c.space()
		if c.i >= len(c.in) {
			return c.broken("an object that does not end")
		}
		if c.in[c.i] == '}' {
			c.i++
			break
		}
		if c.in[c.i] != ',' {
			return c.broken("neither , nor }")
		}
		c.i++
		c.out = append(c.out, ',')
	}
	if !sorted {
		SortBy(len(members), func(i, j int) bool { return CompareKeys(members[i].key, members[j].key) < 0 },
			func(i, j int) { members[i], members[j] = members[j], members[i] })
		for i := 1; i < len(members); i++ {
			if members[i].key == members[i-1].key {
				return Under(members[i].key, Fail(CodeMalformed, "", "a key that stands twice"))
			}
		}
		c.scratch = append(c.scratch[:0], c.out[body:]...)
		c.out = c.out[:body]
		for i, m := range members {
			if i > 0 {
				c.out = append(c.out, ',')
			}
			c.out = append(c.out, c.scratch[m.start-body:m.end-body]...)
		}
	}
	c.out = append(c.out, '}')
	return nil
}

// str decodes the string at i, whatever its escapes.
func (c *canonizer) str() (string, error) {
	if end := canonicalString(c.in, c.i); end > 0 {
		s := Unquote(c.in[c.i:end])
		c.i = end
		return s, nil
	}
	var out []byte
	for c.i++; c.i < len(c.in); {
		ch := c.in[c.i]
		switch {
		case ch == '"':
			c.i++
			return View(out), nil
		case ch < 0x20:
			return "", c.broken("a control character in a string")
		case ch == '\\':
			if c.i+1 >= len(c.in) {
				return "", c.broken("a string that does not end")
			}
			esc := c.in[c.i+1]
			switch esc {
			case '"', '\\', '/':
				out = append(out, esc)
				c.i += 2
			case 'b', 'f', 'n', 'r', 't':
				out = append(out, "\b\f\n\r\t"[indexOf("bfnrt", esc)])
				c.i += 2
			case 'u':
				r, err := c.escaped()
				if err != nil {
					return "", err
				}
				out = utf8.AppendRune(out, r)
			default:
				return "", c.broken("an unknown escape")
			}
		case ch < 0x80:
			out = append(out, ch)
			c.i++
		default:
			r, n := utf8.DecodeRuneInString(c.in[c.i:])
			if r == utf8.RuneError && n == 1 {
				return "", c.broken("bytes that are not UTF-8")
			}
			out = append(out, c.in[c.i:c.i+n]...)
			c.i += n
		}
	}
	return "", c.broken("a string that does not end")
}

// escaped reads \uXXXX at i, and its second half where it is a surrogate pair.
func (c *canonizer) escaped() (rune, error) {
	r := hex4(c.in, c.i+2)
	if r < 0 {
		return 0, c.broken("a broken \\u escape")
	}
	if r < 0xd800 || r > 0xdfff {
		c.i += 6
		return r, nil
	}
	if r < 0xdc00 && c.i+8 <= len(c.in) && c.in[c.i+6] == '\\' && c.in[c.i+7] == 'u' {
		if low := hex4(c.in, c.i+8); low >= 0xdc00 && low <= 0xdfff {
			c.i += 12
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, nil
		}
	}
	return 0, c.broken("a lone surrogate")
}

func Itoa(i int) string { return strconv.Itoa(i) }

func hex4(s string, i int) rune {
	if i+4 > len(s) {
		return -1
	}
	var r rune
	for _, c := range []byte(s[i : i+4]) {
		if c >= 'A' && c <= 'F' {
			c += 'a' - 'A'
		}
		if unhex[c] > 15 {
			return -1
		}
		r = r<<4 | rune(unhex[c])
	}
	return r
}

func indexOf(s string, c byte) int {
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			return i
		}
	}
	return -1
}

// MemberBytes is the canonical size of "key":value and the comma that may follow.
func MemberBytes(key, value string) int {
	n := len(key) + 4 + len(value)
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case c == '"' || c == '\\':
			n++
		case c < 0x20 && shortEscape[c] != 0:
			n++
		case c < 0x20:
			n += 5
		}
	}
	return n
}
