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
