package protocol

import (
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
)

// Limits of one request; protocol, "POST /v1/sync".
const (
	MaxStreams      = 100
	MaxActions      = 1000
	MaxRequestBytes = 4 << 20
	MaxEntries      = 500     // entries of one answer, at most
	MaxAnswerBytes  = 1 << 20 // of one stream's entries, about; four times as many for the whole answer
)

// SyncItem asks one turn of one stream.
type SyncItem struct {
	Stream  string
	Client  action.UUID
	After   uint64
	Epoch   action.UUID // with After > 0
	Chain   action.Chain
	Limit   int
	Actions []string // JSON; canonical where a replica made them
	Drain   bool
	Marks   []Mark // places of the log that the client has followed
	Schema  int    // the version of the code that offers the actions; 0 for none
}

// AppendSyncRequest writes the request of one turn for many streams. bytes is how many the entries of the answer are to take, about;
// 0 leaves it to the server.
func AppendSyncRequest(dst []byte, items []SyncItem, bytes int) []byte {
	dst = append(dst, '{')
	if bytes > 0 {
		dst = append(dst, `"bytes":`...)
		dst = append(strconv.AppendInt(dst, int64(bytes), 10), ',')
	}
	dst = append(dst, `"streams":[`...)
	for i := range items {
		it := &items[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		if len(it.Actions) > 0 {
			dst = append(dst, `"actions":[`...)
			for j, a := range it.Actions {
				if j > 0 {
					dst = append(dst, ',')
				}
				dst = append(dst, a...)
			}
			dst = append(dst, `],`...)
		}
		dst = append(dst, `"after":`...)
		dst = strconv.AppendUint(dst, it.After, 10)
		if it.After > 0 {
			dst = append(dst, `,"chain":"`...)
			dst = append(it.Chain.Append(dst), '"')
		}
		dst = append(dst, `,"client":"`...)
		dst = append(it.Client.Append(dst), '"')
		if it.Drain {
			dst = append(dst, `,"drain":true`...)
		}
		if it.After > 0 {
			dst = append(dst, `,"epoch":"`...)
			dst = append(it.Epoch.Append(dst), '"')
		}
		dst = append(dst, `,"limit":`...)
		dst = strconv.AppendInt(dst, int64(it.Limit), 10)
		if len(it.Marks) > 0 {
			dst = appendMarks(append(dst, `,"marks":`...), it.Marks)
		}
		if it.Schema > 0 {
			dst = strconv.AppendInt(append(dst, `,"schema":`...), int64(it.Schema), 10)
		}
		dst = append(dst, `,"stream":`...)
		dst = append(action.AppendString(dst, it.Stream), '}')
	}
	return append(dst, "]}"...)
}

func appendMarks(dst []byte, marks []Mark) []byte {
	dst = append(dst, '[')
	for i, m := range marks {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"chain":"`...)
		dst = append(m.Chain.Append(dst), `","index":`...)
		dst = append(strconv.AppendUint(dst, m.Index, 10), '}')
	}
	return append(dst, ']')
}

// SyncAnswer is the server's answer for one stream.
type SyncAnswer struct {
	Stream    string
	HasEpoch  bool
	Epoch     action.UUID
	Head      uint64
	Common    uint64 // the highest of the marks that the log can still tell to be its own; 0 for none
	HasChain  bool
	Chain     action.Chain
	Entries   []WireEntry
	Persisted []PersistedAs
	Rejected  []action.Rejection
	Offer     *CheckpointOffer
	Err       *action.Error
}

// CheckpointOffer names a checkpoint that stands for the log up to its index.
type CheckpointOffer struct {
	Index  uint64
	Epoch  action.UUID
	Chain  action.Chain
	Bytes  uint64
	SHA256 string // in hex
}

// WireEntry is an entry as it travels; Action is JSON text.
type WireEntry struct {
	Index  uint64
	Stored string
	By     string
	Action string
}

// PersistedAs tells the index that an action got.
type PersistedAs struct {
	ID    action.UUID
	Index uint64
}

// Left tells that the answer had no room for the stream: what it was asked has not been looked at.
func (a *SyncAnswer) Left(it *SyncItem) bool {
	return !a.HasChain && len(a.Entries) == 0 && a.Offer == nil && a.Head > it.After
}

// DecodeSyncAnswer reads an answer. Members that it does not know are skipped: a newer server may tell more.
func DecodeSyncAnswer(text string) ([]SyncAnswer, error) {
	var out []SyncAnswer
	l := action.NewLexer(text)
	found := false
	err := l.Object(func(key string) error {
		if key != "streams" {
			_, err := l.Raw()
			return err
		}
		found = true
		return l.Array(func(int) error {
			out = append(out, SyncAnswer{})
			return readSyncAnswer(l, &out[len(out)-1])
		})
	})
	if err == nil {
		err = l.End()
	}
	if err == nil && !found {
		err = action.Malformed("/streams", "is missing")
	}
	return out, err
}

func readSyncAnswer(l *action.Lexer, a *SyncAnswer) error {
	err := l.Object(func(key string) (err error) {
		switch key {
		case "stream":
			a.Stream, err = l.Str()
		case "epoch":
			a.HasEpoch = true
			a.Epoch, err = l.UUID()
		case "head":
			a.Head, err = l.Uint()
		case "common":
			a.Common, err = l.Uint()
		case "chain":
			a.HasChain = true
			a.Chain, err = l.Chain()
		case "entries":
			err = l.Array(func(int) error {
				a.Entries = append(a.Entries, WireEntry{})
				return readWireEntry(l, &a.Entries[len(a.Entries)-1])
			})
		case "persisted":
			err = l.Array(func(int) error {
				var p PersistedAs
				err := l.Object(func(key string) (err error) {
					switch key {
					case "id":
						p.ID, err = l.UUID()
					case "index":
						p.Index, err = l.Uint()
					default:
						_, err = l.Raw()
					}
					return err
				})
				a.Persisted = append(a.Persisted, p)
				return err
			})
		case "rejected":
			err = l.Array(func(int) error {
				var j action.Rejection
				err := l.Object(func(key string) (err error) {
					switch key {
					case "id":
						j.ID, err = l.UUID()
					case "code":
						j.Code, err = l.Str()
					case "message":
						j.Message, err = l.Str()
					default:
						_, err = l.Raw()
					}
					return err
				})
				a.Rejected = append(a.Rejected, j)
				return err
			})
		case "checkpoint":
			a.Offer = &CheckpointOffer{}
			err = l.Object(func(key string) (err error) {
				switch key {
				case "index":
					a.Offer.Index, err = l.Uint()
				case "epoch":
					a.Offer.Epoch, err = l.UUID()
				case "chain":
					a.Offer.Chain, err = l.Chain()
				case "bytes":
					a.Offer.Bytes, err = l.Uint()
				case "sha256":
					a.Offer.SHA256, err = l.Str()
				default: // the url too: only the server that was named is asked
					_, err = l.Raw()
				}
				return err
			})
		case "error":
			a.Err = &action.Error{}
			err = l.Object(func(key string) (err error) {
				switch key {
				case "code":
					a.Err.Code, err = l.Str()
				case "message":
					a.Err.Message, err = l.Str()
				case "min":
					var n uint64
					n, err = l.Uint()
					a.Err.Min = int(min(n, MaxSchema))
				default:
					_, err = l.Raw()
				}
				return err
			})
		default:
			_, err = l.Raw()
		}
		return err
	})
	if err == nil && a.Stream == "" {
		err = action.Malformed("/stream", "is missing")
	}
	return err
}

func readWireEntry(l *action.Lexer, e *WireEntry) error {
	return l.Object(func(key string) (err error) {
		switch key {
		case "index":
			e.Index, err = l.Uint()
		case "stored":
			e.Stored, err = l.Str()
		case "by":
			e.By, err = l.Str()
		case "action":
			e.Action, err = l.Raw()
		default:
			_, err = l.Raw()
		}
		return err
	})
}
