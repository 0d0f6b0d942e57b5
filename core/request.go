package core

import "strings"

// SyncRequest is one stream's part of a sync request as a server reads it.
type SyncRequest struct {
	SyncItem
	Offers    []Offer
	Err       *Error // the item as a whole is malformed; nothing else of it counts but Stream
	OffersErr *Error // its actions are: it counts where they are looked at
}

// Offer is one offered action. One that is no valid action has an Err, and is refused by itself.
type Offer struct {
	Action
	Err *Error
}

// maxOfferBytes is what a server may set its limit of one action to, at most: more is not looked into.
const maxOfferBytes = 1 << 20

// envelopeDepth is how deep an action lies in a request: {"streams":[{"actions":[action]}]}.
const envelopeDepth = 4

// DecodeSyncRequest reads a sync request strictly. What is broken as text or is no sync request fails the whole, with a
// JSON pointer; a bad item carries its own error, and a bad action too.
func DecodeSyncRequest(body string) ([]SyncRequest, error) {
	canon, err := Canonical(body, MaxDepth+envelopeDepth)
	if err != nil {
		return nil, err
	}
	var items []SyncRequest
	var form error
	actions, found := 0, false
	l := newLexer(canon)
	err = l.object(func(key string) error {
		if key != "streams" {
			return malformed("", "is no part of a sync request")
		}
		found = true
		return l.array(func(i int) error {
			if i == MaxStreams {
				return fail(CodeTooLarge, "", "a request names at most 100 streams")
			}
			text, err := l.raw()
			if err != nil {
				return err
			}
			it, err := readSyncRequest(newLexer(text))
			if err != nil && form == nil { // size comes before form: what follows is still counted
				form = under("streams", under(itoa(i), err))
			}
			items = append(items, it)
			if actions += len(it.Offers); actions > MaxActions {
				return fail(CodeTooLarge, "", "a request has at most 1,000 actions")
			}
			return nil
		})
	})
	if err == nil {
		err = form
	}
	if err == nil && !found {
		err = malformed("/streams", "is missing")
	}
	return items, err
}

func readSyncRequest(l *lexer) (SyncRequest, error) {
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
			it.Err = asError(under(key, err), CodeMalformed)
		}
	}
	var raws []string
	err := l.object(func(key string) error {
		value, err := l.raw()
		if err != nil {
			return err
		}
		v := newLexer(value)
		switch key {
		case "stream":
			seen |= hasStream
			if it.Stream, err = v.str(); err != nil {
				return err
			}
		case "actions":
			err = v.array(func(int) error {
				raw, err := v.raw()
				raws = append(raws, raw)
				return err
			})
		case "after":
			seen |= hasAfter
			it.After, err = v.uint()
		case "chain":
			seen |= hasChain
			it.Chain, err = v.chain()
		case "client":
			seen |= hasClient
			if it.Client, err = v.uuid(); err == nil && it.Client == Nil {
				err = malformed("", "is the server's own id")
			}
		case "drain":
			it.Drain, err = v.boolean()
		case "epoch":
			seen |= hasEpoch
			it.Epoch, err = v.uuid()
		case "limit":
			var n uint64
			if n, err = v.uint(); err == nil && n == 0 {
				err = malformed("", "is at least 1")
			}
			it.Limit = int(min(n, 1<<30))
		default:
			err = malformed("", "is no part of an item")
		}
		note(key, err)
		return nil
	})
	if err != nil {
		return it, err
	}
	if seen&hasStream == 0 {
		return it, malformed("/stream", "is missing")
	}
	if bad := CheckStreamName(it.Stream); bad != "" {
		note("stream", malformed("", bad))
	}
	need := hasAfter | hasClient
	if it.After > 0 {
		need |= hasEpoch | hasChain
	}
	for i, name := range [...]string{"after", "client", "epoch", "chain"} {
		if need&^seen&(1<<i) != 0 {
			note(name, malformed("", "is missing"))
		}
	}
	it.Offers = make([]Offer, len(raws))
	for i, raw := range raws {
		if err := readOffer(&it.Offers[i], raw, it.Client); err != nil && it.OffersErr == nil {
			it.OffersErr = asError(under("actions", under(itoa(i), err)), CodeMalformed)
		}
	}
	return it, nil
}

// readOffer reads one action. The error is the actions' as a whole: an action that cannot even be named, or another client's.
func readOffer(o *Offer, raw string, client UUID) error {
	var err error
	if len(raw) > maxOfferBytes {
		err = fail(CodeTooLarge, "", "the action is over every limit")
	} else {
		// A copy of its own: what is taken lives on in the fold, and must not keep the whole request alive.
		err = decodeAction(&o.Action, strings.Clone(raw), nil)
	}
	if err != nil {
		o.Action = Action{Raw: raw}
		var ids bool
		l := newLexer(raw)
		lerr := l.object(func(key string) (err error) {
			switch key {
			case "id":
				ids = true
				o.ID, err = l.uuid()
			case "client":
				o.Client, err = l.uuid()
			case "seq":
				if n, nerr := l.uint(); nerr == nil {
					o.Seq = n
				} else {
					_, err = l.raw()
				}
			default:
				_, err = l.raw()
			}
			return err
		})
		if lerr != nil {
			return lerr
		}
		if !ids {
			return malformed("/id", "is missing")
		}
		o.Err = asError(err, CodeMalformed)
		if o.Err.Code != CodeTooLarge {
			e := *o.Err
			e.Code = CodeMalformed
			o.Err = &e
		}
	}
	if o.Client != client {
		return malformed("/client", "is not the client of the item")
	}
	return nil
}
