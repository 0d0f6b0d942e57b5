package action

import "strings"

// CompareKeys orders two strings by their UTF-16 code units, as RFC 8785 sorts member names.
func CompareKeys(a, b string) int {
	// UTF-8 and UTF-16 order differ only where a character outside the BMP meets one from U+E000 up.
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		if a[i] < 0xee || b[i] < 0xee {
			return int(a[i]) - int(b[i])
		}
		// 0xee and 0xef lead U+E000..U+FFFF, 0xf0.. lead surrogate pairs, which sort below them.
		if high, other := a[i] >= 0xf0, b[i] >= 0xf0; high != other {
			if high {
				return -1
			}
			return 1
		}
		return int(a[i]) - int(b[i])
	}
	return len(a) - len(b)
}

// CheckName is the rule for types and field keys: 1 to 128 bytes of UTF-8.
func CheckName(s string) error {
	if len(s) == 0 {
		return Malformed("", "is empty")
	}
	if len(s) > MaxName {
		return Fail(CodeTooLarge, "", "is over 128 bytes")
	}
	return nil // what was decoded is UTF-8
}

// CheckKey is checkName with the reserved keys left out.
func CheckKey(s string) error {
	if s == "id" || s == "type" {
		return Malformed("", "is reserved")
	}
	return CheckName(s)
}

// CheckStreamName tells what is wrong with a stream's name; empty when nothing is.
func CheckStreamName(s string) string {
	if len(s) == 0 || len(s) > 200 {
		return "a stream name has 1 to 200 characters"
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._-~:/", c) >= 0) {
			return "a stream name is made of A-Z a-z 0-9 . _ - ~ : /"
		}
	}
	for rest := s; ; {
		seg, tail, more := strings.Cut(rest, "/")
		if seg == "" || seg == "." || seg == ".." {
			return "a stream name has no empty, . or .. segment"
		}
		if !more {
			return ""
		}
		rest = tail
	}
}
