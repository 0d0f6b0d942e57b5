package actions

import (
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/web"
)

// append writes the answer. Its members are sorted.
func (a *answer) append(b []byte) []byte {
	b = append(b, '{')
	if a.hasChain {
		b = append(b, `"chain":"`...)
		b = append(a.log.Chain.Append(b), `",`...)
	}
	if a.offer != nil {
		b = appendOffer(b, a.stream, a.offer)
	}
	if a.marked {
		b = append(b, `"common":`...)
		b = append(strconv.AppendUint(b, a.common, 10), ',')
	}
	if len(a.entries) > 0 {
		b = append(b, `"entries":`...)
		b = append(appendEntries(b, a.after, a.entries), ',')
	}
	if a.log.Epoch != action.Nil {
		b = append(b, `"epoch":"`...)
		b = append(a.log.Epoch.Append(b), `",`...)
	}
	if a.err != nil {
		b = append(append(b, `"error":{"code":`...), web.Quote(a.err.Code)...)
		b = append(append(b, `,"message":`...), web.Quote(web.Said(a.err))...)
		if a.err.Min > 0 {
			b = strconv.AppendInt(append(b, `,"min":`...), int64(a.err.Min), 10)
		}
		b = append(b, `},`...)
	}
	b = append(b, `"head":`...)
	b = strconv.AppendUint(b, a.log.Head, 10)
	if len(a.persisted) > 0 {
		b = append(b, `,"persisted":[`...)
		for i, id := range a.persisted {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"id":"`...)
			b = append(id.Append(b), `","index":`...)
			b = append(strconv.AppendUint(b, a.after+1+uint64(i), 10), '}')
		}
		b = append(b, ']')
	}
	if len(a.rejected) > 0 {
		b = append(b, `,"rejected":[`...)
		for i, j := range a.rejected {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, `{"code":`...), web.Quote(j.Code)...)
			b = append(b, `,"id":"`...)
			b = append(j.ID.Append(b), `","message":`...)
			b = append(append(b, web.Quote(j.Message)...), '}')
		}
		b = append(b, ']')
	}
	b = append(append(b, `,"stream":`...), web.Quote(a.stream)...)
	if a.turn > 0 {
		b = append(b, `,"turn":`...)
		b = strconv.AppendInt(b, a.turn.Milliseconds(), 10)
	}
	return append(b, '}')
}

// appendEntries writes entries after an index; the actions' bytes are sent as they were stored.
func appendEntries(b []byte, after uint64, entries []engine.Entry) []byte {
	b = append(b, '[')
	for i := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendEntry(b, after+1+uint64(i), &entries[i])
	}
	return append(b, ']')
}

func appendEntry(b []byte, index uint64, e *engine.Entry) []byte {
	b = append(append(b, `{"action":`...), e.Raw...)
	b = append(append(b, `,"by":`...), web.Quote(e.By)...)
	b = append(b, `,"index":`...)
	b = strconv.AppendUint(b, index, 10)
	b = append(b, `,"stored":"`...)
	b = time.UnixMilli(e.Stored).UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	return append(b, `"}`...)
}
