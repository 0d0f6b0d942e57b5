package data

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/web"
)

// unframe takes a body of entriesType apart.
func unframe(m *meta, body []byte) ([]message, error) {
	var out []message
	for len(body) > 0 {
		at := "/" + strconv.Itoa(len(out))
		if len(body) < 20 {
			return nil, web.Bad(at, "is cut off")
		}
		size := binary.BigEndian.Uint32(body[16:])
		e := message{id: action.UUID(body[:16])}
		if size == 0 || uint64(size) > uint64(len(body)-20) { // before it is an int, which may have 32 bits
			return nil, web.Bad(at, "has a length that cannot be")
		}
		n := int(size)
		e.body, body = body[20:20+n], body[20+n:]
		if m.isJSON() {
			b, err := compactJSON(e.body)
			if err != nil {
				return nil, web.Bad(at, "is no JSON")
			}
			e.body = b
		}
		if out = append(out, e); len(out) > maxMessages {
			return nil, web.ErrTooLarge
		}
	}
	return out, nil
}

// readEntries reads the view of entries: of each, 16 bytes of id (zero where its writer chose none), 8 bytes of size, one byte that tells
// whether its bytes follow, one byte of length and the offset behind it, and then its bytes; numbers are big-endian.
func (pg *page) readEntries(tx engine.DataTx, segs []segment, limit int) error {
	left, bytes := limit, int64(0)
	most := maxInline
	if pg.meta.isJSON() { // a message is what one request may have, and is read whole only
		most = math.MaxInt32
	}
	return pg.each(tx, segs, limit, most, func(g segment, e *engine.DataEntry, skip, size int64) (bool, error) {
		inline := size-skip <= int64(most)
		if left == 0 || inline && bytes+size-skip > int64(maxAnswer) && bytes > 0 {
			pg.full = true
			return false, nil
		}
		left--
		body := e.Body
		if body == nil && inline {
			var err error
			if body, err = tx.DataBytes(g.stream, e.Index, skip, int(size-skip)); err != nil {
				return false, err
			}
		} else if inline {
			body = body[skip:size]
		}
		end := position{g.stream, e.Start() + uint64(size), e.Index}.String()
		b := append(pg.body, e.ID[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(size-skip))
		if inline {
			b = append(b, 1)
		} else {
			b = append(b, 0)
		}
		b = append(append(b, byte(len(end))), end...)
		if inline {
			b = append(b, body...)
			bytes += size - skip
		}
		pg.body = b
		return true, nil
	})
}
