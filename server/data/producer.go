package data

import (
	"context"
	"net/http"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/web"
)

// follows tells whether a request of a producer is its next one. A duplicate is one that was carried out; last is the last of these.
func follows(p engine.Producer, known *engine.Producer) (last uint64, duplicate bool, err error) {
	expected := uint64(0)
	if known != nil {
		switch {
		case p.Epoch < known.Epoch:
			return 0, false, web.Problem(web.CodeFenced, "/Producer-Epoch", "a newer one writes under this Producer-Id")
		case p.Epoch > known.Epoch && p.Seq != 0:
			return 0, false, web.Bad("/Producer-Seq", "a new epoch begins at 0")
		case p.Epoch == known.Epoch && p.Seq <= known.Seq:
			return known.Seq, true, nil
		case p.Epoch == known.Epoch:
			expected = known.Seq + 1
		}
	}
	if p.Seq != expected {
		return 0, false, &seqGap{expected: expected, received: p.Seq}
	}
	return p.Seq, false, nil
}

// seqGap says that a request does not go on where the last one ended.
type seqGap struct {
	upload             bool // of the parts of an entry, not of a producer's requests
	expected, received uint64
}

func (g *seqGap) Error() string { return g.problem().Error() }

func (g *seqGap) problem() *action.Error {
	if g.upload {
		return web.Problem(web.CodeSequence, "/Upload-Offset", "goes on at "+strconv.FormatUint(g.expected, 10))
	}
	return web.Problem(web.CodeSequence, "/Producer-Seq", "goes on with "+strconv.FormatUint(g.expected, 10))
}

func (g *seqGap) describe(h http.Header) {
	if g.upload {
		h.Set("Upload-Offset", strconv.FormatUint(g.expected, 10))
		return
	}
	h.Set("Producer-Expected-Seq", strconv.FormatUint(g.expected, 10))
	h.Set("Producer-Received-Seq", strconv.FormatUint(g.received, 10))
}

// tellProducer sets the headers that say, beside a refusal, how far a producer has come.
func (s *Streams) tellProducer(ctx context.Context, h http.Header, id uint64, producer string) {
	_ = s.engine.ViewData(ctx, func(tx engine.DataTx) error {
		known, err := tx.Producer(id, producer)
		if err == nil && known != nil {
			h.Set("Producer-Epoch", strconv.FormatUint(known.Epoch, 10))
			h.Set("Producer-Seq", strconv.FormatUint(known.Seq, 10))
		}
		return err
	})
}
