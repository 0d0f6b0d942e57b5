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

func Itoa(i int) string { return strconv.Itoa(i) }

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
