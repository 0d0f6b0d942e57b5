package action

// Chain is the running FNV-1a-64 hash of a log. Two logs that differ in an entry differ in every chain after it.
type Chain uint64

// Next is the chain after one more entry, whose action has the canonical bytes raw.
func (c Chain) Next(raw string) Chain {
	const offset, prime = 14695981039346656037, 1099511628211
	h := uint64(offset)
	for shift := 56; shift >= 0; shift -= 8 {
		h = (h ^ uint64(c)>>shift&0xff) * prime
	}
	for i := 0; i < len(raw); i++ {
		h = (h ^ uint64(raw[i])) * prime
	}
	return Chain(h)
}

// Append adds the sixteen hex digits.
func (c Chain) Append(dst []byte) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[uint64(c)>>shift&15])
	}
	return dst
}

func (c Chain) String() string { return string(c.Append(nil)) }

// ParseChain reads sixteen lower-case hex digits.
func ParseChain(s string) (Chain, bool) {
	if len(s) != 16 {
		return 0, false
	}
	var h uint64
	for i := range 16 {
		if unhex[s[i]] > 15 {
			return 0, false
		}
		h = h<<4 | uint64(unhex[s[i]])
	}
	return Chain(h), true
}
