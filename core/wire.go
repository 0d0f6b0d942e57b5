package core

import "strconv"

// Limits of one request; protocol, "POST /v1/sync".
const (
	MaxStreams      = 100
	MaxActions      = 1000
	MaxRequestBytes = 4 << 20
	MaxEntries      = 500     // entries of one answer, at most
	MaxAnswerBytes  = 1 << 20 // of entries, about
)

// SyncItem asks one turn of one stream.
type SyncItem struct {
	Stream  string
	Client  UUID
	After   uint64
	Epoch   UUID // with After > 0
	Chain   Chain
	Limit   int
	Actions []string // JSON; canonical where a replica made them
	Drain   bool
}

// AppendSyncRequest writes the request of one turn for many streams.
func AppendSyncRequest(dst []byte, items []SyncItem) []byte {
	dst = append(dst, `{"streams":[`...)
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
		dst = append(dst, `,"stream":`...)
		dst = append(AppendString(dst, it.Stream), '}')
	}
	return append(dst, "]}"...)
}

// SyncAnswer is the server's answer for one stream.
type SyncAnswer struct {
	Stream    string
	HasEpoch  bool
	Epoch     UUID
	Head      uint64
	HasChain  bool
	Chain     Chain
	Entries   []WireEntry
	Persisted []PersistedAs
	Rejected  []Rejection
	Offer     *CheckpointOffer
	Err       *Error
}

// CheckpointOffer names a checkpoint that stands for the log up to its index.
type CheckpointOffer struct {
	Index  uint64
	Epoch  UUID
	Chain  Chain
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
	ID    UUID
	Index uint64
}

// DecodeSyncAnswer reads an answer. Members that it does not know are skipped: a newer server may tell more.
func DecodeSyncAnswer(text string) ([]SyncAnswer, error) {
	var out []SyncAnswer
	l := newLexer(text)
	found := false
	err := l.object(func(key string) error {
		if key != "streams" {
			_, err := l.raw()
			return err
		}
		found = true
		return l.array(func(int) error {
			out = append(out, SyncAnswer{})
			return readSyncAnswer(l, &out[len(out)-1])
		})
	})
	if err == nil {
		err = l.end()
	}
	if err == nil && !found {
		err = malformed("/streams", "is missing")
	}
	return out, err
}

func readSyncAnswer(l *lexer, a *SyncAnswer) error {
	err := l.object(func(key string) (err error) {
		switch key {
		case "stream":
			a.Stream, err = l.str()
		case "epoch":
			a.HasEpoch = true
			a.Epoch, err = l.uuid()
		case "head":
			a.Head, err = l.uint()
		case "chain":
			a.HasChain = true
			a.Chain, err = l.chain()
		case "entries":
			err = l.array(func(int) error {
				a.Entries = append(a.Entries, WireEntry{})
				return readWireEntry(l, &a.Entries[len(a.Entries)-1])
			})
		case "persisted":
			err = l.array(func(int) error {
				var p PersistedAs
				err := l.object(func(key string) (err error) {
					switch key {
					case "id":
						p.ID, err = l.uuid()
					case "index":
						p.Index, err = l.uint()
					default:
						_, err = l.raw()
					}
					return err
				})
				a.Persisted = append(a.Persisted, p)
				return err
			})
		case "rejected":
			err = l.array(func(int) error {
				var j Rejection
				err := l.object(func(key string) (err error) {
					switch key {
					case "id":
						j.ID, err = l.uuid()
					case "code":
						j.Code, err = l.str()
					case "message":
						j.Message, err = l.str()
					default:
						_, err = l.raw()
					}
					return err
				})
				a.Rejected = append(a.Rejected, j)
				return err
			})
		case "checkpoint":
			a.Offer = &CheckpointOffer{}
			err = l.object(func(key string) (err error) {
				switch key {
				case "index":
					a.Offer.Index, err = l.uint()
				case "epoch":
					a.Offer.Epoch, err = l.uuid()
				case "chain":
					a.Offer.Chain, err = l.chain()
				case "bytes":
					a.Offer.Bytes, err = l.uint()
				case "sha256":
					a.Offer.SHA256, err = l.str()
				default: // the url too: only the server that was named is asked
					_, err = l.raw()
				}
				return err
			})
		case "error":
			a.Err = &Error{}
			err = l.object(func(key string) (err error) {
				switch key {
				case "code":
					a.Err.Code, err = l.str()
				case "message":
					a.Err.Message, err = l.str()
				default:
					_, err = l.raw()
				}
				return err
			})
		default:
			_, err = l.raw()
		}
		return err
	})
	if err == nil && a.Stream == "" {
		err = malformed("/stream", "is missing")
	}
	return err
}

func readWireEntry(l *lexer, e *WireEntry) error {
	return l.object(func(key string) (err error) {
		switch key {
		case "index":
			e.Index, err = l.uint()
		case "stored":
			e.Stored, err = l.str()
		case "by":
			e.By, err = l.str()
		case "action":
			e.Action, err = l.raw()
		default:
			_, err = l.raw()
		}
		return err
	})
}
