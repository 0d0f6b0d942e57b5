package action

import "strconv"

func (c *Cursor) maker(m *Maker) (err error) {
	if !c.Take('[') {
		return Malformed("", "is no array of a client and a seq")
	}
	if m.Client, err = c.UUID(); err != nil {
		return err
	}
	if !c.Take(',') {
		return Malformed("", "is no array of a client and a seq")
	}
	if m.Seq, err = c.Integer(); err == nil && (!c.Take(']') || m.Client == Nil || m.Seq == 0) {
		err = Malformed("", "has a client, and a seq from 1 on")
	}
	return err
}

// Append appends it as it stands in an action.
func (m *Maker) Append(b []byte) []byte {
	b = m.Client.Append(append(b, `["`...))
	return append(strconv.AppendUint(append(b, `",`...), m.Seq, 10), ']')
}
