package core

// SyncRequest is one stream's part of a sync request as a server reads it.
type SyncRequest struct {
	SyncItem
	Offers []Offer
	Err    *Error // the item as a whole is malformed; nothing else of it counts but Stream
}

// Offer is one offered action. One that is no valid action has an Err, and is refused by itself.
type Offer struct {
	Action
	Err *Error
}

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
	actions, found := 0, false
	l := &lexer{b: canon}
	err = l.object(func(key string) error {
		if key != "streams" {
			return malformed("", "is no part of a sync request")
		}
		found = true
		return l.array(func(i int) error {
			if i == MaxStreams {
				return fail(CodeTooLarge, "", "a request names at most 100 streams")
			}
			it, err := l.syncRequest()
			if err != nil {
				return err
			}
			items = append(items, it)
			if actions += len(it.Offers); actions > MaxActions {
				return fail(CodeTooLarge, "", "a request has at most 1,000 actions")
			}
			return nil
		})
	})
	if err == nil && !found {
		err = malformed("/streams", "is missing")
	}
	return items, err
}

func (l *lexer) syncRequest() (SyncRequest, error) {
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
		v := &lexer{b: value}
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
		if err := readOffer(&it.Offers[i], raw, it.Client); err != nil {
			note("actions", under(itoa(i), err))
		}
	}
	return it, nil
}

// readOffer reads one action. The error is the item's: an action that cannot even be named, or another client's.
func readOffer(o *Offer, raw string, client UUID) error {
	err := decodeAction(&o.Action, raw, nil)
	if err != nil {
		o.Action = Action{Raw: raw}
		var ids bool
		l := &lexer{b: raw}
		lerr := l.object(func(key string) (err error) {
			switch key {
			case "id":
				ids = true
				o.ID, err = l.uuid()
			case "client":
				o.Client, err = l.uuid()
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
