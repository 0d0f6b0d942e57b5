package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/state"
)

// checkpoints are what a stream has of them in memory.
type checkpoints struct {
	mu       sync.Mutex
	newest   *Checkpoint // without what is packed; nil for none
	building bool
	deleted  int // how many logs of the name have been deleted
}

func (c *checkpoints) get() *Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest
}

// generation tells logs of the same name apart.
func (c *checkpoints) generation() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deleted
}

// keep takes note of a stored one, unless its log has been deleted meanwhile.
func (c *checkpoints) keep(stored *Checkpoint, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.deleted {
		return
	}
	light := *stored
	light.Packed, light.Owners = nil, nil
	c.newest = &light
}

func (c *checkpoints) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest = nil
	c.deleted++
}

// weigh builds a checkpoint where the entries since the last one outweigh it: each byte of a log is then folded and written
// about twice, and a new client reads about twice the state. The caller holds st.mu. Only the encoding is made here; the
// rest does not hold up the stream.
func (s *Server) weigh(st *stream) {
	last := st.checkpoints.get()
	least := s.CheckpointBytes
	if last != nil {
		least = max(least, last.Bytes)
	}
	if s.CheckpointBytes < 0 || st.weight < least {
		return
	}
	st.checkpoints.mu.Lock()
	busy := st.checkpoints.building
	st.checkpoints.building = true
	st.checkpoints.mu.Unlock()
	if busy {
		return
	}
	st.weight = 0
	generation := st.checkpoints.generation()
	c := &Checkpoint{Index: st.state.Head, Epoch: st.state.Epoch, Chain: st.state.Chain}
	text := st.state.AppendCheckpoint(nil, st.name)
	c.Owners = encodeOwners(st.owners, st.state.LastSeq)
	oldest := uint64(1)
	if last != nil && s.Keep > 0 && c.Index > s.Keep {
		oldest = min(last.Index, c.Index+1-s.Keep) // who has just read the last one finds what follows it
	}
	s.Background(func() {
		err := s.store(st, c, text, oldest, generation)
		st.checkpoints.mu.Lock()
		st.checkpoints.building = false
		st.checkpoints.mu.Unlock()
		if err != nil {
			s.Log.Error("a checkpoint could not be stored", "stream", hashed(st.name), "error", err)
		}
	})
}

func (s *Server) store(st *stream, c *Checkpoint, text []byte, oldest uint64, generation int) error {
	c.Bytes, c.SHA256 = len(text), sha256.Sum256(text)
	c.Packed = packed(text)
	if err := s.Engine.PutCheckpoint(context.Background(), st.name, c, oldest); err != nil {
		return err
	}
	st.checkpoints.keep(c, generation)
	return nil
}

func packed(text []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(text) // a bytes.Buffer takes all
	z.Close()
	return out.Bytes()
}

func unpack(c *Checkpoint) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(c.Packed))
	if err != nil {
		return nil, fmt.Errorf("unpack a checkpoint: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("unpack a checkpoint: %w", err)
	}
	if sha256.Sum256(text) != c.SHA256 {
		return nil, fmt.Errorf("a stored checkpoint does not match its hash")
	}
	return text, nil
}

// fromCheckpoint begins a fold at the newest checkpoint of the log that is whole, where there is one.
func (st *stream) fromCheckpoint(ctx context.Context, e Engine, log *Log) error {
	indexes, err := e.Checkpoints(ctx, st.name)
	if err != nil {
		return err
	}
	for _, index := range indexes {
		c, rerr := e.Checkpoint(ctx, st.name, index)
		if rerr == nil && (c == nil || c.Epoch != log.Epoch) {
			continue
		}
		if rerr == nil {
			rerr = st.begin(c)
		}
		if rerr == nil {
			return nil
		}
		err = errors.Join(err, rerr)
	}
	return err
}

// begin puts a checkpoint's state in the place of the fold.
func (st *stream) begin(c *Checkpoint) error {
	text, err := unpack(c)
	if err != nil {
		return err
	}
	name, folded, err := state.ReadCheckpoint(string(text))
	if err != nil {
		return fmt.Errorf("read a checkpoint: %v", err)
	}
	if name != st.name || folded.Epoch != c.Epoch || folded.Head != c.Index || folded.Chain != c.Chain {
		return fmt.Errorf("a stored checkpoint is of another log")
	}
	owners, err := decodeOwners(c.Owners)
	if err != nil {
		return err
	}
	st.state, st.owners = folded, owners
	st.checkpoints.keep(c, st.checkpoints.generation())
	return nil
}

func encodeOwners(owners map[action.UUID]string, last func(action.UUID) uint64) []byte {
	out := make(map[string]string, len(owners))
	for id, by := range owners {
		if last(id) > 0 { // the fold forgets clients of long ago
			out[id.String()] = by
		}
	}
	b, _ := json.Marshal(out) // of strings: it does not fail
	return b
}

func decodeOwners(b []byte) (map[action.UUID]string, error) {
	var in map[string]string
	if err := json.Unmarshal(b, &in); err != nil {
		return nil, fmt.Errorf("read the owners of a checkpoint: %w", err)
	}
	owners := make(map[action.UUID]string, len(in))
	for text, by := range in {
		id, ok := action.ParseUUID(text)
		if !ok {
			return nil, fmt.Errorf("read the owners of a checkpoint: %q is no id", text)
		}
		owners[id] = by
	}
	return owners, nil
}

// appendOffer writes the checkpoint member of an answer.
func appendOffer(b []byte, stream string, c *Checkpoint) []byte {
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
	b = append(b, quote("/v1/checkpoint?"+at.Encode())...)
	return append(b, `},`...)
}

// getCheckpoint gives a stored checkpoint. One that is there never changes.
func (s *Server) getCheckpoint(w http.ResponseWriter, r *http.Request, p Principal) error {
	values, err := s.readQuery(r, p, Read)
	if err != nil {
		return err
	}
	epoch, ok := action.ParseUUID(values.Get("epoch"))
	if !ok {
		return bad("/epoch", "is no lower-case UUID")
	}
	index, err := strconv.ParseUint(values.Get("index"), 10, 53)
	if err != nil || index == 0 {
		return bad("/index", "is no index")
	}
	from, err := strconv.ParseUint(cmp.Or(values.Get("from"), "0"), 10, 53)
	if err != nil {
		return bad("/from", "is no number of bytes")
	}
	c, err := s.checkpoint(r.Context(), values.Get("stream"), epoch, index)
	if err != nil {
		return err
	}
	if from > uint64(c.Bytes) {
		return bad("/from", "is behind the end")
	}
	body, err := unpack(c) // also where it is sent packed: what is damaged would be kept for a year
	if err != nil {
		return err
	}
	h := w.Header()
	if takesGzip(r.Header.Get("Accept-Encoding")) {
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

// partLimit is for how long a client may take nothing of a long answer.
const partLimit = 60 * time.Second

func (s *Server) checkpoint(ctx context.Context, stream string, epoch action.UUID, index uint64) (*Checkpoint, error) {
	c, err := s.Engine.Checkpoint(ctx, stream, index)
	if err == nil && (c == nil || c.Epoch != epoch) {
		err = errForbidden
	}
	return c, err
}

// Checkpoint gives the text of a checkpoint: what GET /v1/checkpoint does, without HTTP.
func (s *Server) Checkpoint(ctx context.Context, p Principal, stream string, epoch action.UUID, index uint64) ([]byte, error) {
	if !s.Auth.Allow(p, stream, Read) {
		return nil, errForbidden
	}
	c, err := s.checkpoint(ctx, stream, epoch, index)
	if err != nil {
		return nil, err
	}
	return unpack(c)
}

// readQuery reads the query of a GET or DELETE that is about one stream, once the principal has the right to it.
func (s *Server) readQuery(r *http.Request, p Principal, right Right) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, bad("", "the query cannot be read")
	}
	if wrong := action.CheckStreamName(values.Get("stream")); wrong != "" {
		return nil, bad("/stream", wrong)
	}
	if !s.Auth.Allow(p, values.Get("stream"), right) {
		return nil, errForbidden
	}
	return values, nil
}
