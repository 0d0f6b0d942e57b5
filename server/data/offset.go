package data

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/web"
)

// position is a place in a data stream: a stream of its chain of forks, the bytes before it, and the entries that end there or before.
// As text it is an offset: opaque to clients, and sorted as the places are. A stream that takes the place of a deleted one has a higher id,
// so that no offset of the one is an offset of the other.
type position struct{ stream, bytes, entries uint64 }

func (p position) String() string {
	return fmt.Sprintf("%016d_%016d_%d", p.stream, p.bytes, p.entries)
}

// start is the beginning of every stream, as other servers write it.
const startOffset = "0000000000000000_0000000000000000"

// parseOffset reads an offset; ok is false for a text that no server here has made.
func parseOffset(s string) (p position, ok bool) {
	parts := strings.Split(s, "_")
	if len(parts) == 2 {
		parts = append(parts, "0") // only the start has no third part
	}
	if len(parts) != 3 || len(parts[0]) != 16 || len(parts[1]) != 16 || len(parts[2]) == 0 || len(parts[2]) > 16 {
		return p, false
	}
	for i, to := range []*uint64{&p.stream, &p.bytes, &p.entries} {
		n, err := strconv.ParseUint(parts[i], 10, 64)
		if err != nil {
			return p, false
		}
		*to = n
	}
	return p, true
}

// segment is a run of a stream's bytes that one stream of its chain of forks holds.
type segment struct {
	stream               uint64
	fromBytes, fromIndex uint64
	toBytes, toIndex     uint64
}

func (g segment) end() position { return position{g.stream, g.toBytes, g.toIndex} }

// segments lists where the bytes of a stream are, in order; the last one is the stream's own.
func segments(tx engine.DataTx, d *engine.DataStream) ([]segment, error) {
	own := segment{stream: d.ID, toBytes: d.Tail, toIndex: d.Head}
	if d.Source == 0 {
		return []segment{own}, nil
	}
	m, err := readMeta(d)
	if err != nil {
		return nil, err
	}
	own.fromBytes, own.fromIndex = m.Fork.Bytes, m.Fork.Entries
	source, err := tx.DataStreamAt(d.Source)
	if err != nil {
		return nil, err
	}
	if source == nil {
		return nil, web.Problem(action.CodeInternal, "", "the engine lacks the source of a fork")
	}
	inherited, err := segments(tx, source)
	if err != nil {
		return nil, err
	}
	var out []segment
	for _, g := range inherited {
		if g.fromBytes >= own.fromBytes && len(out) > 0 { // the first one stays, for its offset of the beginning
			break
		}
		if g.toBytes > own.fromBytes {
			g.toBytes, g.toIndex = own.fromBytes, own.fromIndex
		}
		out = append(out, g)
	}
	return append(out, own), nil
}

// tailOf is where a stream ends: in the last segment that has bytes.
func tailOf(segs []segment) position {
	for i := len(segs) - 1; i > 0; i-- {
		if segs[i].toBytes > segs[i].fromBytes {
			return segs[i].end()
		}
	}
	return segs[0].end()
}

// locate finds an offset in the segments: the segment to read on in, the bytes and the entries before the place; between entries, where they are read whole.
func locate(tx engine.DataTx, segs []segment, offset string, whole bool) (i int, at position, err error) {
	if offset == startOffset {
		for i+1 < len(segs) && segs[i].toBytes == 0 {
			i++
		}
		return i, position{segs[i].stream, 0, 0}, nil
	}
	at, ok := parseOffset(offset)
	if !ok {
		return 0, at, web.Bad("/offset", "is no offset of this server")
	}
	for i, g := range segs {
		if g.stream != at.stream || at.bytes < g.fromBytes {
			continue
		}
		switch {
		case at.bytes > g.toBytes:
			return 0, at, web.Bad("/offset", "is not of this stream")
		case at.bytes == g.toBytes && i+1 < len(segs):
			return i + 1, position{segs[i+1].stream, at.bytes, segs[i+1].fromIndex}, nil
		case at.bytes == g.toBytes:
			at.entries = g.toIndex
			return i, at, nil
		}
		next, err := tx.ReadData(g.stream, at.entries, 1, 0, 0)
		if err != nil {
			return 0, at, err
		}
		if at.entries < g.fromIndex || len(next) == 0 || next[0].Index != at.entries+1 || next[0].Start() > at.bytes || next[0].End <= at.bytes || whole && next[0].Start() != at.bytes {
			return 0, at, web.Bad("/offset", "is not of this stream")
		}
		return i, at, nil
	}
	if own := segs[len(segs)-1].stream; at.stream < own && at.stream > 0 {
		return 0, at, web.Problem(action.CodeGone, "/offset", "is of a stream that was deleted")
	}
	return 0, at, web.Bad("/offset", "is not of this stream")
}
