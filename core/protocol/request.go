package protocol

import (
	"strings"

	"github.com/strandline-sync/strandline/core/action"
)

// SyncRequest is one stream's part of a sync request as a server reads it.
type SyncRequest struct {
	SyncItem
	Offers    []Offer
	Err       *action.Error // the item as a whole is malformed; nothing else of it counts but Stream
	OffersErr *action.Error // its actions are: it counts where they are looked at
}

// Mark is a place of a log, and its chain there.
type Mark struct {
	Index uint64
	Chain action.Chain
}

// MaxSchema is the highest version of an app's code.
const MaxSchema = 1_000_000_000

// MaxMarks is how many an item has at most.
const MaxMarks = 64

// Offer is one offered action. One that is no valid action has an Err, and is refused by itself.
type Offer struct {
	action.Action
	Err *action.Error
}

// maxOfferBytes is what a server may set its limit of one action to, at most: more is not looked into.
const maxOfferBytes = 1 << 20

// envelopeDepth is how deep an action lies in a request: {"streams":[{"actions":[action]}]}.
const envelopeDepth = 4

// DecodeSyncRequest reads a sync request strictly. What is broken as text or is no sync request fails the whole, with a
// JSON pointer; a bad item carries its own error, and a bad action too.
// bytes is how many the entries of the answer are to take, about; a gibibyte where the client does not say.
func DecodeSyncRequest(body string) (items []SyncRequest, bytes int, err error) {
	canon, err := action.Canonical(body, action.MaxDepth+envelopeDepth)
	if err != nil {
		return nil, 0, err
	}
	bytes = 1 << 30
	var form error
	actions, found := 0, false
	l := action.NewLexer(canon)
	err = l.Object(func(key string) error {
		switch key {
		case "bytes":
			n, err := l.Uint()
			if err == nil && n == 0 {
				err = action.Malformed("", "is at least 1")
			}
			bytes = int(min(n, 1<<30))
			return err
		case "streams":
		default:
			return action.Malformed("", "is no part of a sync request")
		}
		found = true
		return l.Array(func(i int) error {
			if i == MaxStreams {
				return action.Fail(action.CodeTooLarge, "", "a request names at most 100 streams")
			}
			text, err := l.Raw()
			if err != nil {
				return err
			}
			it, err := readSyncRequest(action.NewLexer(text), MaxActions-actions)
			if action.CodeOf(err) == action.CodeTooLarge {
				return err
			}
			if err != nil && form == nil { // size comes before form: what follows is still counted
				form = action.Under("streams", action.Under(action.Itoa(i), err))
			}
			items = append(items, it)
			actions += len(it.Offers)
			return nil
		})
	})
	if err == nil {
		err = form
	}
	if err == nil && !found {
		err = action.Malformed("/streams", "is missing")
	}
	return items, bytes, err
}

// readSyncRequest reads an item. Where it has more than most actions, that is the error, and no action is read.
func readSyncRequest(l *action.Lexer, most int) (SyncRequest, error) {
	it := SyncRequest{SyncItem: SyncItem{Limit: MaxEntries}}
	const (
		hasAfter = 1 << iota
		hasClient
		hasEpoch
		hasChain
		hasStream
	)
	seen := 0
	note := func(key string, err error) { // the first fault of the item
		if err != nil && it.Err == nil {
			it.Err = action.AsError(action.Under(key, err), action.CodeMalformed)
		}
	}
	var raws []string
	err := l.Object(func(key string) error {
		value, err := l.Raw()
		if err != nil {
			return err
		}
		v := action.NewLexer(value)
		switch key {
		case "stream":
			seen |= hasStream
			if it.Stream, err = v.Str(); err != nil {
				return err
			}
		case "actions":
			err = v.Array(func(i int) error {
				if i == most {
					return action.Fail(action.CodeTooLarge, "", "a request has at most 1,000 actions")
				}
				raw, err := v.Raw()
				raws = append(raws, raw)
				return err
			})
			if action.CodeOf(err) == action.CodeTooLarge {
				return err // the whole request's
			}
		case "after":
			seen |= hasAfter
			it.After, err = v.Uint()
		case "chain":
			seen |= hasChain
			it.Chain, err = v.Chain()
		case "client":
			seen |= hasClient
			if it.Client, err = v.UUID(); err == nil && it.Client == action.Nil {
				err = action.Malformed("", "is the server's own id")
			}
		case "drain":
			it.Drain, err = v.Boolean()
		case "epoch":
			seen |= hasEpoch
			it.Epoch, err = v.UUID()
		case "limit":
			var n uint64
			if n, err = v.Uint(); err == nil && n == 0 {
				err = action.Malformed("", "is at least 1")
			}
			it.Limit = int(min(n, 1<<30))
		case "marks":
			it.Marks, err = readMarks(v)
		case "schema":
			var n uint64
			if n, err = v.Uint(); err == nil && (n == 0 || n > MaxSchema) {
				err = action.Malformed("", "is no number from 1 to 1,000,000,000")
			}
			it.Schema = int(min(n, MaxSchema))
		default:
			err = action.Malformed("", "is no part of an item")
		}
		note(key, err)
		return nil
	})
	if err != nil {
		return it, err
	}
	if seen&hasStream == 0 {
		return it, action.Malformed("/stream", "is missing")
	}
	if bad := action.CheckStreamName(it.Stream); bad != "" {
		note("stream", action.Malformed("", bad))
	}
	need := hasAfter | hasClient
	if it.After > 0 {
		need |= hasEpoch | hasChain
	}
	for i, name := range [...]string{"after", "client", "epoch", "chain"} {
		if need&^seen&(1<<i) != 0 {
			note(name, action.Malformed("", "is missing"))
		}
	}
	it.Offers = make([]Offer, len(raws))
	for i, raw := range raws {
		if err := readOffer(&it.Offers[i], raw, it.Client); err != nil && it.OffersErr == nil {
			it.OffersErr = action.AsError(action.Under("actions", action.Under(action.Itoa(i), err)), action.CodeMalformed)
		}
	}
	return it, nil
}

func readMarks(l *action.Lexer) (marks []Mark, err error) {
	err = l.Array(func(i int) error {
		if i == MaxMarks {
			return action.Malformed("", "has more than 64")
		}
		var m Mark
		seen := 0
		err := l.Object(func(key string) (err error) {
			switch key {
			case "index":
				seen |= 1
				m.Index, err = l.Uint()
			case "chain":
				seen |= 2
				m.Chain, err = l.Chain()
			default:
				err = action.Malformed("", "is no part of a mark")
			}
			return err
		})
		if err == nil && seen != 3 {
			err = action.Malformed("", "has not index and chain")
		}
		marks = append(marks, m)
		return err
	})
	return marks, err
}

// readOffer reads one action. The error is the actions' as a whole: an action that cannot even be named, or another client's.
func readOffer(o *Offer, raw string, client action.UUID) error {
	var err error
	if len(raw) > maxOfferBytes {
		err = action.Fail(action.CodeTooLarge, "", "the action is over every limit")
	} else {
		// A copy of its own: what is taken lives on in the fold, and must not keep the whole request alive.
		err = action.DecodeInto(&o.Action, strings.Clone(raw), nil)
	}
	if err != nil {
		o.Action = action.Action{Raw: raw}
		var ids bool
		l := action.NewLexer(raw)
		lerr := l.Object(func(key string) (err error) {
			switch key {
			case "id":
				ids = true
				o.ID, err = l.UUID()
			case "client":
				o.Client, err = l.UUID()
			case "seq":
				if n, nerr := l.Uint(); nerr == nil {
					o.Seq = n
				} else {
					_, err = l.Raw()
				}
			default:
				_, err = l.Raw()
			}
			return err
		})
		if lerr != nil {
			return lerr
		}
		if !ids {
			return action.Malformed("/id", "is missing")
		}
		o.Err = action.AsError(err, action.CodeMalformed)
		if o.Err.Code != action.CodeTooLarge {
			e := *o.Err
			e.Code = action.CodeMalformed
			o.Err = &e
		}
	}
	if o.Client != client {
		return action.Malformed("/client", "is not the client of the item")
	}
	return nil
}
