package action

import "strconv"

// AppendNumber writes f as ECMAScript's Number::toString does, which is the number form of RFC 8785. f is finite.
func AppendNumber(dst []byte, f float64) []byte {
	if f == 0 {
		return append(dst, '0')
	}
	abs := f
	if abs < 0 {
		abs = -abs
	}
	if abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	// Go pads the exponent to two digits (1e-07); ECMAScript does not.
	for i := n; i < len(dst); i++ {
		if dst[i] == 'e' && dst[i+2] == '0' && i+3 < len(dst) {
			dst = append(dst[:i+2], dst[i+3:]...)
			break
		}
	}
	return dst
}

// numberEnd is the end of the JSON number that starts at b[i], or -1 where the grammar is broken.
// plain says that it is an integer of at most 15 digits other than -0, whose text is canonical as it stands.
func numberEnd(b string, i int) (end int, plain bool) {
	start := i
	if i < len(b) && b[i] == '-' {
		i++
	}
	digits := i
	for i < len(b) && b[i]-'0' < 10 {
		i++
	}
	n := i - digits
	if n == 0 || n > 1 && b[digits] == '0' {
		return -1, false
	}
	plain = n <= 15 && !(b[digits] == '0' && digits > start)
	if i < len(b) && b[i] == '.' {
		plain = false
		i++
		frac := i
		for i < len(b) && b[i]-'0' < 10 {
			i++
		}
		if i == frac {
			return -1, false
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		plain = false
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		exp := i
		for i < len(b) && b[i]-'0' < 10 {
			i++
		}
		if i == exp {
			return -1, false
		}
	}
	return i, plain
}

// ParseNumber reads a JSON number's text; ok is false when it lies beyond a double.
func ParseNumber(text string) (f float64, ok bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && (f > 1 || f < -1) {
		return 0, false // an overflow; an underflow rounds to zero
	}
	return f, true
}
