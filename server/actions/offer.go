package actions

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/klauspost/compress/gzip"

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
	at := url.Values{"stream": {stream}, "epoch": {c.Epoch.String()}, "index": {strconv.FormatUint(c.Index, 10)}, "sha256": {hex.EncodeToString(c.SHA256[:])}}
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
	c, done, err := s.served(r.Context(), checkpointKey{values.Get("stream"), epoch, index})
	if err != nil {
		return err
	}
	defer done()
	if sum := values.Get("sha256"); sum != "" && sum != hex.EncodeToString(c.SHA256[:]) {
		return web.ErrForbidden // of a fork of the log, with the same epoch
	}
	if from > uint64(c.Bytes) {
		return web.Bad("/from", "is behind the end")
	}
	h := w.Header()
	h.Set("Content-Type", "application/jsonl")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Add("Vary", "Authorization")
	h.Add("Vary", "Accept-Encoding")
	takes := web.TakesGzip(r.Header.Get("Accept-Encoding"))
	if takes {
		h.Set("Content-Encoding", "gzip")
	}
	if takes && from == 0 {
		_ = web.Send(w, r, c.Packed)
		return nil
	}
	z, err := gzip.NewReader(bytes.NewReader(c.Packed))
	if err != nil {
		return fmt.Errorf("unpack a checkpoint: %w", err)
	}
	if _, err := io.CopyN(io.Discard, z, int64(from)); err != nil {
		return fmt.Errorf("unpack a checkpoint: %w", err)
	}
	out := io.Writer(web.Slowly(w, r))
	if takes {
		packing, _ := gzip.NewWriterLevel(out, gzip.StatelessCompression) // however slowly it is read, it holds nothing
		defer packing.Close()
		out = packing
	}
	_, _ = io.CopyBuffer(out, z, make([]byte, 32<<10)) // an error is the line's
	return nil
}

// checkpointKey names a checkpoint.
type checkpointKey struct {
	stream string
	epoch  action.UUID
	index  uint64
}

// serving is a checkpoint that is being read: by however many, its bytes are there once.
type serving struct {
	users int
	ready chan struct{} // closed when c and err are there
	c     *engine.Checkpoint
	err   error
	hold  *web.Hold
}

// served gives a checkpoint that is whole: what is damaged would be kept for a year.
func (s *Streams) served(ctx context.Context, key checkpointKey) (*engine.Checkpoint, func(), error) {
	s.mu.Lock()
	at := s.serving[key]
	first := at == nil
	if first {
		at = &serving{ready: make(chan struct{})}
		s.serving[key] = at
	}
	at.users++
	s.mu.Unlock()
	done := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(s.serving, key)
			at.hold.End()
		}
	}
	if first {
		at.c, at.err = s.checkpoint(context.WithoutCancel(ctx), key)
		if at.err == nil {
			work, whole := web.WorkOf(ctx), context.WithoutCancel(ctx) // others may be waiting for it
			work.Pause()
			at.hold, at.err = s.Memory.Take(whole, work.Asker(), len(at.c.Packed))
			_ = work.Resume(whole)
			if at.err == nil && !s.isWhole(key) {
				if at.err = eachPart(whole, at.c, func([]byte) {}); at.err == nil {
					s.seenWhole(key)
				}
			}
		}
		close(at.ready)
	} else {
		work := web.WorkOf(ctx)
		work.Pause()
		<-at.ready
		_ = work.Resume(context.WithoutCancel(ctx))
	}
	if at.err != nil {
		done()
		return nil, nil, at.err
	}
	return at.c, done, nil
}

// maxWhole is how many checkpoints are remembered to be whole.
const maxWhole = 10_000

// isWhole tells whether a checkpoint was looked at since the server was started: one that is there never changes.
func (s *Streams) isWhole(key checkpointKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole[key]
}

func (s *Streams) seenWhole(key checkpointKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.whole == nil || len(s.whole) >= maxWhole {
		s.whole = map[checkpointKey]bool{}
	}
	s.whole[key] = true
}

func (s *Streams) checkpoint(ctx context.Context, key checkpointKey) (*engine.Checkpoint, error) {
	c, err := s.engine.Checkpoint(ctx, key.stream, key.index)
	if err == nil && (c == nil || c.Epoch != key.epoch) {
		err = web.ErrForbidden
	}
	return c, err
}

// Checkpoint gives the text of a checkpoint: what GET /v1/checkpoint does, without HTTP.
func (s *Streams) Checkpoint(ctx context.Context, p rights.Principal, stream string, epoch action.UUID, index uint64) ([]byte, error) {
	if !s.Auth.Allow(p, stream, rights.Read) {
		return nil, web.ErrForbidden
	}
	c, err := s.checkpoint(ctx, checkpointKey{stream, epoch, index})
	if err != nil {
		return nil, err
	}
	text, err := unpack(ctx, c)
	return []byte(text), err
}
