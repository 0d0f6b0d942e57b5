package protocol

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
)

// Topics are the names that hints are asked about.
type Topics struct {
	Streams []string // of actions
	Data    []string // data streams, of which the core knows no more
}

// MaxTopics is how many names of each kind a connection for hints may be about.
const MaxTopics = 5_000

// Len is how many names there are.
func (t *Topics) Len() int { return len(t.Streams) + len(t.Data) }

// AppendTopics writes the body that asks for hints. It is a body, since an address of that length is refused on the way.
func AppendTopics(dst []byte, t *Topics) []byte {
	sep := byte('{')
	list := func(key string, names []string) {
		if len(names) == 0 {
			return
		}
		dst = append(append(append(dst, sep, '"'), key...), `":[`...)
		for i, name := range names {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = action.AppendString(dst, name)
		}
		dst, sep = append(dst, ']'), ','
	}
	list("data", t.Data)
	list("streams", t.Streams)
	return append(dst, '}')
}

// DecodeTopics reads such a body strictly. Names may be there twice.
func DecodeTopics(body string) (t Topics, err error) {
	body, err = action.Canonical(body, 3)
	if err != nil {
		return t, err
	}
	l := action.NewLexer(body)
	err = l.Object(func(key string) error {
		into := &t.Streams
		switch key {
		case "streams":
		case "data":
			into = &t.Data
		default:
			return action.Malformed("", "is no part of what hints are asked about")
		}
		return l.Array(func(i int) error {
			if i == MaxTopics {
				return action.Fail(action.CodeTooLarge, "", "hints are about at most 5,000 names of a kind")
			}
			name, err := l.Str()
			if err != nil {
				return err
			}
			if bad := action.CheckStreamName(name); bad != "" {
				return action.Malformed("", bad)
			}
			*into = append(*into, name)
			return nil
		})
	})
	if err == nil && t.Len() == 0 {
		err = action.Malformed("/streams", "is missing")
	}
	return t, err
}

// Hint tells how far a stream of actions, or a data stream, is.
type Hint struct {
	Stream string
	Head   uint64
	Data   string
	Offset string // of the end of Data; "" where it is not there
}

// DecodeHint reads one server-sent event. One that is no hint, or of a kind that is not known, gives false.
func DecodeHint(event string) (h Hint, ok bool) {
	kind := ""
	for line := range strings.SplitSeq(event, "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch key {
		case "event":
			kind = value
		case "data":
			l := action.NewLexer(value)
			err := l.Object(func(key string) (err error) {
				switch key {
				case "stream":
					h.Stream, err = l.Str()
				case "head":
					h.Head, err = l.Uint()
				case "data":
					h.Data, err = l.Str()
				case "offset":
					h.Offset, err = l.Str()
				default:
					_, err = l.Raw()
				}
				return err
			})
			ok = err == nil
		}
	}
	return h, ok && (kind == "head" && h.Stream != "" && h.Data == "" || kind == "data" && h.Data != "" && h.Stream == "")
}
