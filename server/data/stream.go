package data

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/web"
)

// meta is what the server keeps of a data stream beside what the engine knows.
type meta struct {
	Type     string   `json:"type"`
	TTL      *int64   `json:"ttl,omitempty"`     // seconds without a read or write after which it ends
	Used     int64    `json:"used,omitempty"`    // last read or write that was noted, Unix milliseconds; with TTL
	Until    string   `json:"until,omitempty"`   // when it ends, as it was given
	UntilAt  int64    `json:"untilAt,omitempty"` // the same, Unix milliseconds
	Closed   bool     `json:"closed,omitempty"`
	ClosedBy *closing `json:"closedBy,omitempty"`
	Seq      []byte   `json:"seq,omitempty"` // Stream-Seq of the last append that had one
	Fork     *forked  `json:"fork,omitempty"`
}

// closing is the producer's request that closed the stream.
type closing struct {
	Name string          `json:"name"` // a hash of the producer's; of streams that were closed long ago, the name
	At   engine.Producer `json:"at"`
}

// is tells whether a request is the one that closed the stream.
func (c *closing) is(a *appending) bool {
	return c.At == a.at && (c.Name == nameless(a.producer) || c.Name == a.producer)
}

// nameless is a hash of a producer's name, which has its principal's in it; "" for none.
func nameless(producer string) string {
	if producer == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(producer))
	return hex.EncodeToString(sum[:16])
}

// forked is where a fork left its source.
type forked struct {
	From    string `json:"from"`
	Bytes   uint64 `json:"bytes"`
	Entries uint64 `json:"entries"` // with the one that the fork has a part of only
}

func readMeta(d *engine.DataStream) (*meta, error) {
	m := new(meta)
	if err := json.Unmarshal(d.Meta, m); err != nil {
		return nil, web.Problem(action.CodeInternal, "", "the engine's record of a data stream cannot be read")
	}
	return m, nil
}

// write puts the meta, and when to look whether the stream has ended, into d.
func (m *meta) write(d *engine.DataStream) error {
	b, err := json.Marshal(m)
	d.Meta = b
	switch {
	case m.TTL != nil:
		d.Expires = m.Used + *m.TTL*1000 + m.slack()
	case m.Until != "":
		d.Expires = max(1, m.UntilAt) // 0 stands for never
	default:
		d.Expires = 0
	}
	return err
}

// slack is how much later than it was noted a stream with a TTL may have been used: a read is noted now and then only.
func (m *meta) slack() int64 { return *m.TTL * 1000 / 10 }

func (m *meta) isJSON() bool { return mediaType(m.Type) == "application/json" }

// isText tells whether server-sent events carry the stream's bytes as they are.
func (m *meta) isText() bool { return m.isJSON() || strings.HasPrefix(mediaType(m.Type), "text/") }

// mediaType is a content type without parameters, in lower case; "" for what is none.
func mediaType(s string) string {
	kind, _, err := mime.ParseMediaType(s)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || !strings.Contains(kind, "/") {
		return ""
	}
	return kind
}

// uses are the last reads and writes of streams with a TTL, since the server was started.
type uses map[uint64]int64

// use notes a read or write. It tells whether the engine is to be told too.
func (s *Streams) use(id uint64, m *meta, now int64) (tell bool) {
	if m.TTL == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses[id] = max(s.uses[id], now)
	return now-m.Used > m.slack()
}

// ended tells whether a stream's time is over, by the clock and without the jumps that it has made since the server was started. What was read before the server was started may be up to slack later than was noted.
func (s *Streams) ended(d *engine.DataStream, m *meta, now int64) bool {
	now = min(now, s.Steady().UnixMilli())
	switch {
	case d.Deleted:
		return false
	case m.TTL != nil:
		s.mu.Lock()
		used, since := s.uses[d.ID]
		s.mu.Unlock()
		if !since {
			used = m.Used + m.slack()
		}
		return now >= max(used, m.Used)+*m.TTL*1000
	}
	return m.Until != "" && now >= m.UntilAt
}

var (
	errNone = web.Problem(action.CodeNotFound, "/path", "there is no such data stream")
	errGone = web.Problem(action.CodeGone, "/path", "the data stream was deleted; only its forks are left")
)

// find gives a stream that can be used, or says why not.
func (s *Streams) find(tx engine.DataTx, name string, now int64) (*engine.DataStream, *meta, error) {
	d, err := tx.DataStream(name)
	if err != nil {
		return nil, nil, err
	}
	if d == nil {
		return nil, nil, errNone
	}
	if d.Deleted {
		return nil, nil, errGone
	}
	m, err := readMeta(d)
	if err != nil {
		return nil, nil, err
	}
	if s.ended(d, m, now) {
		return nil, nil, errNone
	}
	return d, m, nil
}

// remove deletes a stream: softly where forks read it, else for good, with those of its sources that nothing else holds.
func remove(tx engine.DataTx, d *engine.DataStream) error {
	for {
		forks, err := tx.DataForks(d.ID)
		if err != nil {
			return err
		}
		if forks > 0 {
			d.Deleted, d.Expires = true, 0
			return tx.PutData(d)
		}
		if err := tx.RemoveData(d); err != nil {
			return err
		}
		if d.Source == 0 {
			return nil
		}
		source, err := tx.DataStreamAt(d.Source)
		if err != nil || source == nil || !source.Deleted {
			return err
		}
		d = source
	}
}

// clear takes away a stream whose time is over, so that its name is free.
func (s *Streams) clear(tx engine.DataTx, name string, now int64) error {
	d, err := tx.DataStream(name)
	if err != nil || d == nil {
		return err
	}
	m, err := readMeta(d)
	if err != nil || !s.ended(d, m, now) {
		return err
	}
	return remove(tx, d)
}

// uploadLife is how long an entry that comes in parts may take.
const uploadLife = 7 * 24 * time.Hour

// Sweep takes away what has ended.
func (s *Streams) Sweep() {
	now := s.Now().UnixMilli()
	const some = 100 // of one commit
	var names []string
	more := false
	err := s.update(context.Background(), 1, func(tx engine.DataTx) error {
		var err error
		if names, err = tx.DataExpired(now, some); err != nil {
			return err
		}
		before := len(names)
		defer func() {
			left, err := tx.DataExpired(now, some)
			more = err == nil && before == some && len(left) > 0 && left[0] != names[0]
		}()
		for _, name := range names {
			if err := s.clear(tx, name, now); err != nil {
				return err
			}
		}
		return tx.DropUploads(now - uploadLife.Milliseconds())
	})
	if err != nil && !errors.Is(err, engine.ErrClosed) {
		s.Log.Error("what has ended could not be taken away", "error", err)
	}
	for _, name := range names { // who waits looks again
		s.moved(name)
	}
	if err == nil && more {
		s.Sweep()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, at := range s.uses { // what is older than a day was noted long ago, or has a TTL for which that day counts little
		if now-at > 24*time.Hour.Milliseconds() {
			delete(s.uses, id)
		}
	}
}

// Path takes the name of a data stream out of a path.
func Path(path string) (name string, ok bool) { return strings.CutPrefix(path, "/v1/data/") }

// nameOf is the name of the request's stream.
func nameOf(r *http.Request) (string, error) {
	name, _ := Path(r.URL.Path)
	if name == "__ds" || strings.HasPrefix(name, "__ds/") {
		return "", web.Problem(action.CodeNotFound, "", "this server has no subscriptions")
	}
	if wrong := action.CheckStreamName(name); wrong != "" {
		return "", web.Bad("/path", wrong)
	}
	return name, nil
}
