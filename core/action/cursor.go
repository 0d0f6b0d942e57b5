package action

import "strconv"

// Cursor walks canonical JSON of a known form.
type Cursor struct {
	b    string
	i    int
	slab *Slab
}

func NewCursor(text string) Cursor { return Cursor{b: text} }

// Pos is how many bytes have been read, of len.
func (c *Cursor) Pos() int { return c.i }

func (c *Cursor) Len() int { return len(c.b) }

func (c *Cursor) peek() byte {
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

//go:noinline
func (c *Cursor) Lit(text string) bool {
	if len(c.b)-c.i < len(text) || c.b[c.i:c.i+len(text)] != text {
		return false
	}
	c.i += len(text)
	return true
}

func (c *Cursor) Take(ch byte) bool {
	if c.i < len(c.b) && c.b[c.i] == ch {
		c.i++
		return true
	}
	return false
}

// Str reads a string.
func (c *Cursor) Str() (string, bool) {
	end := canonicalString(c.b, c.i)
	if end < 0 {
		return "", false
	}
	s := Unquote(c.b[c.i:end])
	c.i = end
	return s, true
}

// Raw reads any value and gives its text. depth is the nesting it may have.
func (c *Cursor) Raw(depth int) (string, bool) {
	end := canonicalEnd(c.b, c.i, depth)
	if end < 0 {
		return "", false
	}
	s := c.b[c.i:end]
	c.i = end
	return s, true
}

func (c *Cursor) UUID() (UUID, error) {
	if c.peek() == '"' && c.i+38 <= len(c.b) && c.b[c.i+37] == '"' {
		if u, ok := ParseUUID(c.b[c.i+1 : c.i+37]); ok {
			c.i += 38
			return u, nil
		}
	}
	return Nil, Malformed("", "is no lower-case UUID")
}

func (c *Cursor) Integer() (uint64, error) {
	end, plain := numberEnd(c.b, c.i)
	if end < 0 {
		return 0, Malformed("", "is no integer")
	}
	text := c.b[c.i:end]
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > MaxInteger || (!plain && len(text) < 16) {
		return 0, Malformed("", "is no integer from 0 to 2^53-1")
	}
	c.i = end
	return n, nil
}

func (c *Cursor) boolean() (bool, error) {
	for _, w := range [...]string{"true", "false"} {
		if len(c.b)-c.i >= len(w) && c.b[c.i:c.i+len(w)] == w {
			c.i += len(w)
			return w == "true", nil
		}
	}
	return false, Malformed("", "is neither true nor false")
}

func (c *Cursor) yes() error {
	if b, err := c.boolean(); err != nil || !b {
		return Malformed("", "can only be true")
	}
	return nil
}

// Key reads the next member name of an object; more is false at its end. first tells that none was read yet.
func (c *Cursor) Key(first bool, last *string) (key string, more bool, err error) {
	if c.Take('}') {
		return "", false, nil
	}
	if !first && !c.Take(',') {
		return "", false, errForm
	}
	key, ok := c.Str()
	if !ok || !c.Take(':') || !first && CompareKeys(*last, key) >= 0 {
		return "", false, errForm
	}
	*last = key
	return key, true, nil
}

// element steps to the next element of an array; more is false at its end.
func (c *Cursor) element(first bool) (more bool, err error) {
	if c.Take(']') {
		return false, nil
	}
	if !first && !c.Take(',') {
		return false, errForm
	}
	return true, nil
}
