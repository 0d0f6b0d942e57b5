package action

// UUID names clients, actions, objects and epochs. Its text form is lower case, with dashes. Any version is taken.
type UUID [16]byte

// Nil is the UUID of the server as an author. No client may use it.
var Nil UUID

const hexDigits = "0123456789abcdef"

// ParseUUID reads the 36-character lower-case form and nothing else.
func ParseUUID[T string | []byte](s T) (u UUID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	j := 0
	for i := 0; i < 36; {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			i++
		}
		hi, lo := unhex[s[i]], unhex[s[i+1]]
		if hi|lo > 15 {
			return Nil, false
		}
		u[j] = hi<<4 | lo
		j++
		i += 2
	}
	return u, true
}

// unhex maps a lower-case hexadecimal digit to its value and every other byte to 0xff.
var unhex = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range hexDigits {
		t[hexDigits[i]] = byte(i)
	}
	return t
}()

// Append adds the text form to dst.
func (u UUID) Append(dst []byte) []byte {
	for i, b := range u {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
	}
	return dst
}

// String is the text form.
func (u UUID) String() string { return string(u.Append(make([]byte, 0, 36))) }

// Compare orders UUIDs as their text forms sort.
func (u UUID) Compare(v UUID) int {
	for i := range u {
		if u[i] != v[i] {
			return int(u[i]) - int(v[i])
		}
	}
	return 0
}
