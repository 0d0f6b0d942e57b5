package action

import "strconv"

// What is told to scripts is JSON that is put together member by member: each is begun with a comma where another one stands before it.
// They are called, and not inlined: there are many of them.

//go:noinline
func put(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return append(append(append(b, '"'), name...), '"', ':')
}

// PutJSON appends a member whose value is JSON already.
//
//go:noinline
func PutJSON(b []byte, name, value string) []byte { return append(put(b, name), value...) }

// PutText appends one that is a string.
//
//go:noinline
func PutText(b []byte, name, value string) []byte { return AppendString(put(b, name), value) }

// PutInt appends one that is a whole number.
//
//go:noinline
func PutInt(b []byte, name string, n int64) []byte { return strconv.AppendInt(put(b, name), n, 10) }

// PutID appends one that is an id; null for Nil.
//
//go:noinline
func PutID(b []byte, name string, id UUID) []byte {
	if id == Nil {
		return PutJSON(b, name, "null")
	}
	return append(id.Append(append(put(b, name), '"')), '"')
}
