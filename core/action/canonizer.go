package action

import (
	"strconv"
	"unicode/utf8"
)

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
