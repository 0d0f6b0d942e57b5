package actions

import (
	"cmp"
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// appendOffer writes the checkpoint member of an answer.
func appendOffer(b []byte, stream string, c *engine.Checkpoint) []byte {
	b = append(b, `"checkpoint":{"bytes":`...)
	b = strconv.AppendInt(b, int64(c.Bytes), 10)
	b = append(b, `,"chain":"`...)
	b = c.Chain.Append(b)
	b = append(b, `","epoch":"`...)
	b = c.Epoch.Append(b)
	b = append(b, `","index":`...)
	b = strconv.AppendUint(b, c.Index, 10)
	b = append(b, `,"sha256":"`...)
	b = hex.AppendEncode(b, c.SHA256[:])
	b = append(b, `","url":`...)
	at := url.Values{"stream": {stream}, "epoch": {c.Epoch.String()}, "index": {strconv.FormatUint(c.Index, 10)}}
	b = append(b, web.Quote("/v1/checkpoint?"+at.Encode())...)
	return append(b, `},`...)
}

// GetCheckpoint gives a stored checkpoint. One that is there never changes.
func (s *Streams) GetCheckpoint(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	values, err := s.StreamQuery(r, p, rights.Read)
	if err != nil {
		return err
	}
	epoch, ok := action.ParseUUID(values.Get("epoch"))
	if !ok {
		return web.Bad("/epoch", "is no lower-case UUID")
	}
	index, err := strconv.ParseUint(values.Get("index"), 10, 53)
	if err != nil || index == 0 {
		return web.Bad("/index", "is no index")
	}
	from, err := strconv.ParseUint(cmp.Or(values.Get("from"), "0"), 10, 53)
	if err != nil {
		return web.Bad("/from", "is no number of bytes")
	}
	c, err := s.checkpoint(r.Context(), values.Get("stream"), epoch, index)
	if err != nil {
		return err
	}
	if from > uint64(c.Bytes) {
		return web.Bad("/from", "is behind the end")
	}
	body, err := unpack(c) // also where it is sent packed: what is damaged would be kept for a year
	if err != nil {
		return err
	}
	h := w.Header()
	if web.TakesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		if body = body[from:]; from == 0 {
			body = c.Packed
		} else {
			body = packed(body)
		}
	} else {
		body = body[from:]
	}
	h.Set("Content-Type", "application/jsonl")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Add("Vary", "Authorization")
	h.Add("Vary", "Accept-Encoding")
	// The server's own deadline is for small answers: here each part has its own, so that a slow line gets all of it.
	ctl := http.NewResponseController(w)
	for part := range slices.Chunk(body, 64<<10) {
		_ = ctl.SetWriteDeadline(time.Now().Add(partLimit))
		if _, err := w.Write(part); err != nil {
			return nil
		}
	}
	return nil
}

func (s *Streams) checkpoint(ctx context.Context, stream string, epoch action.UUID, index uint64) (*engine.Checkpoint, error) {
	c, err := s.engine.Checkpoint(ctx, stream, index)
	if err == nil && (c == nil || c.Epoch != epoch) {
		err = web.ErrForbidden
	}
	return c, err
}

// Checkpoint gives the text of a checkpoint: what GET /v1/checkpoint does, without HTTP.
func (s *Streams) Checkpoint(ctx context.Context, p rights.Principal, stream string, epoch action.UUID, index uint64) ([]byte, error) {
	if !s.Auth.Allow(p, stream, rights.Read) {
		return nil, web.ErrForbidden
	}
	c, err := s.checkpoint(ctx, stream, epoch, index)
	if err != nil {
		return nil, err
	}
	return unpack(c)
}

// partLimit is for how long a client may take nothing of a long answer.
const partLimit = 60 * time.Second
