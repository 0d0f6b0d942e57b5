package data

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/rights"

	"github.com/strandline-sync/strandline/server/web"
)

// message is one entry on its way in.
type message struct {
	id   action.UUID
	body []byte
}

// Put creates a data stream, or says that it is there as the request has it.
func (s *Streams) Put(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	name, err := nameOf(r)
	if err != nil {
		return err
	}
	if !s.Auth.Allow(p, name, rights.Append) {
		return web.ErrForbidden
	}
	now := s.Now().UnixMilli()
	want, source, err := s.config(r, p)
	if err != nil {
		return err
	}
	body, err := s.ReadBody(w, r)
	if err != nil {
		return err
	}
	if err := s.judgeCreation(r.Context(), p, name, want, source, body, now); err != nil {
		return err
	}
	if there, err := s.there(r.Context(), name); err != nil {
		return err
	} else if !there {
		if err := s.allow(r.Context(), p, int64(len(body)), true); err != nil {
			return err
		}
	}
	var messages []message
	if known := want.Type != "" || source == nil; known { // before the commit that others wait for; of a fork whose type is its source's, within it
		of := *want
		if messages, err = split(&of, body, true); err != nil {
			return err
		}
	}
	var segs []segment
	var made *engine.DataStream
	var meta *meta
	created := false
	err = s.update(r.Context(), web.Rows(len(messages), len(body)), func(tx engine.DataTx) error {
		if err := s.clear(tx, name, now); err != nil {
			return err
		}
		was, err := tx.DataStream(name)
		if err != nil {
			return err
		}
		if was != nil && was.Deleted {
			return web.Problem(action.CodeExists, "", "the name is that of a deleted stream, which forks still read")
		}
		if was != nil {
			m, err := readMeta(was)
			if err != nil {
				return err
			}
			if err := sameConfig(tx, m, want, source); err != nil {
				return err
			}
			made, meta = was, m
			segs, err = segments(tx, was)
			return err
		}
		d, m := &engine.DataStream{Name: name, By: p.Subject}, *want
		if source != nil {
			if err := s.fork(tx, d, &m, source, now); err != nil {
				return err
			}
		}
		if m.Type == "" {
			m.Type = "application/octet-stream"
		}
		if len(messages) == 0 {
			if messages, err = split(&m, body, true); err != nil {
				return err
			}
		}
		if m.TTL != nil {
			m.Used = now
		}
		entries := s.entriesOf(d, p, messages, now)
		if err := m.write(d); err != nil {
			return err
		}
		if err := tx.CreateData(d); err != nil {
			return err
		}
		if err := tx.AppendData(d.ID, entries); err != nil {
			return err
		}
		made, meta, created = d, &m, true
		segs, err = segments(tx, d)
		return err
	})
	if err != nil {
		return err
	}
	h := w.Header()
	describe(h, made, meta, tailOf(segs))
	if !created {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	s.use(made.ID, meta, now)
	s.moved(name)
	scheme := "http://"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https://"
	}
	h.Set("Location", scheme+r.Host+r.URL.EscapedPath())
	w.WriteHeader(http.StatusCreated)
	return nil
}

// there tells whether a stream has a name, and its time is not over.
func (s *Streams) there(ctx context.Context, name string) (there bool, err error) {
	err = s.engine.ViewData(ctx, func(tx engine.DataTx) error {
		_, _, err := s.find(tx, name, s.Now().UnixMilli())
		if there = err == nil || err == error(errGone); there || err == error(errNone) {
			return nil
		}
		return err
	})
	return there, err
}

// origin is what a request says of the stream that it forks.
type origin struct {
	name   string
	offset string // "": its tail
	sub    uint64
	given  bool // sub
}

// config reads the headers of a creation.
func (s *Streams) config(r *http.Request, p rights.Principal) (*meta, *origin, error) {
	h := r.Header
	m := &meta{Closed: isTrue(h.Get("Stream-Closed"))}
	if given := h.Get("Content-Type"); given != "" {
		if kind := mediaType(given); kind == "" || kind == entriesType || len(given) > 256 {
			return nil, nil, web.Bad("/Content-Type", "is no media type that a stream can have")
		}
		m.Type = given
	}
	if given, there := header(h, "Stream-TTL"); there {
		n, ok := integer(given)
		if !ok || n > action.MaxInteger/1000 {
			return nil, nil, web.Bad("/Stream-TTL", "is no whole number of seconds")
		}
		ttl := int64(n)
		m.TTL = &ttl
	}
	if given, there := header(h, "Stream-Expires-At"); there {
		at, err := time.Parse(time.RFC3339, given)
		if err != nil {
			return nil, nil, web.Bad("/Stream-Expires-At", "is no time of RFC 3339")
		}
		if m.TTL != nil {
			return nil, nil, web.Bad("/Stream-Expires-At", "stands beside a Stream-TTL")
		}
		m.Until, m.UntilAt = given, at.UnixMilli()
	}
	from, there := header(h, "Stream-Forked-From")
	offset, hasOffset := header(h, "Stream-Fork-Offset")
	sub, hasSub := header(h, "Stream-Fork-Sub-Offset")
	if !there {
		if hasOffset || hasSub {
			return nil, nil, web.Bad("/Stream-Forked-From", "is missing")
		}
		return m, nil, nil
	}
	o := &origin{offset: offset}
	if hasOffset && offset == "" {
		return nil, nil, web.Bad("/Stream-Fork-Offset", "is empty")
	}
	if hasSub {
		n, ok := integer(sub)
		if !ok {
			return nil, nil, web.Bad("/Stream-Fork-Sub-Offset", "is no whole number")
		}
		o.sub = n
	}
	o.given = hasOffset || o.sub > 0
	var whole bool
	if o.name, whole = Path(from); !whole { // a name, or a path below ours
		o.name = strings.TrimPrefix(from, "/")
	}
	if wrong := action.CheckStreamName(o.name); wrong != "" {
		return nil, nil, web.Bad("/Stream-Forked-From", wrong)
	}
	if !s.Auth.Allow(p, o.name, rights.Read) {
		return nil, nil, web.ErrForbidden
	}
	return m, o, nil
}

// sameConfig tells whether a stream is as a creation wants it.
func sameConfig(tx engine.DataTx, m, want *meta, source *origin) error {
	differs := func(what string) error {
		return web.Problem(action.CodeExists, "/"+what, "the stream is there with another one")
	}
	switch {
	case (m.Fork != nil) != (source != nil) || source != nil && m.Fork.From != source.name:
		return differs("Stream-Forked-From")
	case want.Type == "" && source == nil && mediaType(m.Type) != "application/octet-stream", want.Type != "" && mediaType(m.Type) != mediaType(want.Type):
		return differs("Content-Type")
	case source == nil && (m.TTL == nil) != (want.TTL == nil), want.TTL != nil && (m.TTL == nil || *m.TTL != *want.TTL):
		return differs("Stream-TTL")
	case source == nil && m.UntilAt != want.UntilAt, want.UntilAt != 0 && m.UntilAt != want.UntilAt:
		return differs("Stream-Expires-At")
	case m.Closed != want.Closed:
		return differs("Stream-Closed")
	case source == nil || !source.given:
		return nil
	}
	from, err := tx.DataStream(source.name)
	if err != nil {
		return err
	}
	if from == nil {
		return nil // nothing can be said of the place any more
	}
	at, err := forkPoint(tx, from, source)
	if err != nil || at.bytes != m.Fork.Bytes || at.entries != m.Fork.Entries {
		return differs("Stream-Fork-Offset")
	}
	return nil
}

// maxForks bounds a chain of forks: each read of the last one walks it.
const maxForks = 64

// fork makes d a fork: its place in the source, and what it inherits.
func (s *Streams) fork(tx engine.DataTx, d *engine.DataStream, m *meta, source *origin, now int64) error {
	from, sm, err := s.find(tx, source.name, now)
	if err == errGone {
		return web.Problem(action.CodeExists, "/Stream-Forked-From", "the source was deleted")
	}
	if err != nil {
		return err
	}
	if m.Type == "" {
		m.Type = sm.Type
	}
	if mediaType(m.Type) != mediaType(sm.Type) {
		return web.Problem(web.CodeContentType, "/Content-Type", "is not the source's")
	}
	if m.TTL == nil && m.Until == "" {
		m.TTL, m.Until, m.UntilAt = sm.TTL, sm.Until, sm.UntilAt
	}
	at, err := forkPoint(tx, from, source)
	if err != nil {
		return err
	}
	if chain, err := segments(tx, from); err != nil || len(chain) >= maxForks {
		return errors.Join(err, web.Bad("/Stream-Forked-From", "is a fork of too many forks"))
	}
	m.Fork = &forked{From: source.name, Bytes: at.bytes, Entries: at.entries}
	d.Source, d.Tail, d.Head = from.ID, at.bytes, at.entries
	return nil
}

// forkPoint finds the place that an origin names: the bytes before it, and the entries that the fork has something of.
func forkPoint(tx engine.DataTx, from *engine.DataStream, o *origin) (at position, err error) {
	wrong := func(path, message string) error { return web.Bad("/Stream-Fork-"+path, message) }
	segs, err := segments(tx, from)
	if err != nil {
		return at, err
	}
	if o.offset == "" {
		return position{bytes: from.Tail, entries: from.Head}, checkSub(o.sub == 0)
	}
	m, err := readMeta(from)
	if err != nil {
		return at, err
	}
	i, at, err := locate(tx, segs, o.offset, m.isJSON())
	var e *action.Error
	if errors.As(err, &e) && e.Code != action.CodeInternal {
		return at, wrong("Offset", e.Message)
	}
	if err != nil {
		return at, err
	}
	if m.isJSON() {
		if at.entries+o.sub > from.Head {
			return at, wrong("Sub-Offset", "lies above the stream's messages")
		}
		for sub := o.sub; sub > 0; i++ {
			n := min(sub, segs[i].toIndex-at.entries)
			if n == 0 {
				continue
			}
			last, err := tx.ReadData(segs[i].stream, at.entries+n-1, 1, 0, 0)
			if err != nil {
				return at, err
			}
			at.entries, at.bytes = at.entries+n, min(last[0].End, segs[i].toBytes)
			sub -= n
		}
		return at, nil
	}
	g := segs[i]
	if at.bytes == g.toBytes {
		return at, checkSub(o.sub == 0)
	}
	next, err := tx.ReadData(g.stream, at.entries, 1, 0, 0)
	if err != nil {
		return at, err
	}
	end := min(next[0].End, g.toBytes)
	if o.sub > end-at.bytes {
		return at, checkSub(false)
	}
	if at.bytes += o.sub; at.bytes > next[0].Start() {
		at.entries++
	}
	return at, nil
}

func checkSub(ok bool) error {
	if ok {
		return nil
	}
	return web.Bad("/Stream-Fork-Sub-Offset", "lies above the entry at the offset")
}

// entriesOf gives messages their places at the end of d, which it moves.
func (s *Streams) entriesOf(d *engine.DataStream, p rights.Principal, messages []message, now int64) []engine.DataEntry {
	out := make([]engine.DataEntry, len(messages))
	for i, m := range messages {
		d.Head++
		d.Tail += uint64(len(m.body))
		out[i] = engine.DataEntry{Index: d.Head, End: d.Tail, Size: int64(len(m.body)), ID: m.id, Stored: now, By: p.Subject, Body: m.body}
	}
	return out
}

// split makes messages of a body: of JSON, the values of an array, or the one value; of other types, the whole.
func split(m *meta, body []byte, creates bool) ([]message, error) {
	if len(body) == 0 {
		return nil, nil
	}
	if !m.isJSON() {
		return []message{{body: body}}, nil
	}
	values := []json.RawMessage{body}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		values = nil
		if err := json.Unmarshal(body, &values); err != nil {
			return nil, errNotJSON
		}
		if len(values) > maxMessages {
			return nil, web.ErrTooLarge
		}
		if len(values) == 0 && !creates {
			return nil, web.Bad("", "an empty array appends nothing")
		}
	}
	out := make([]message, len(values))
	for i, v := range values {
		b, err := compactJSON(v)
		if err != nil {
			return nil, err
		}
		out[i].body = b
	}
	return out, nil
}

var errNotJSON = web.Bad("", "is no JSON")

func compactJSON(v []byte) ([]byte, error) {
	var b bytes.Buffer
	if !utf8.Valid(v) || json.Compact(&b, v) != nil {
		return nil, errNotJSON
	}
	return b.Bytes(), nil
}

// describe sets the headers that tell of a stream.
func describe(h http.Header, d *engine.DataStream, m *meta, tail position) {
	h.Set("Content-Type", m.Type)
	h.Set("Stream-Next-Offset", tail.String())
	h.Set("Strandline-Head", strconv.FormatUint(d.Head, 10))
	if m.TTL != nil {
		h.Set("Stream-TTL", strconv.FormatInt(*m.TTL, 10))
	}
	if m.Until != "" {
		h.Set("Stream-Expires-At", m.Until)
	}
	if m.Closed {
		h.Set("Stream-Closed", "true")
	}
	h.Set("Cache-Control", "no-store")
}

// Remove deletes a data stream.
func (s *Streams) Remove(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	name, err := nameOf(r)
	if err != nil {
		return err
	}
	if !s.Auth.Allow(p, name, rights.Delete) {
		return web.ErrForbidden
	}
	now := s.Now().UnixMilli()
	err = s.update(r.Context(), 1, func(tx engine.DataTx) error {
		d, _, err := s.find(tx, name, now)
		if err != nil {
			return err
		}
		return remove(tx, d)
	})
	if err != nil {
		return err
	}
	s.moved(name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// header gives a header's value, and whether there is one.
func header(h http.Header, name string) (string, bool) {
	v, there := h[http.CanonicalHeaderKey(name)]
	if !there {
		return "", false
	}
	return v[0], true
}

// isTrue reads the value of a header that is there or is not.
func isTrue(s string) bool { return strings.EqualFold(s, "true") }

// integer reads a whole number without a sign or leading zeros, up to 2^53-1.
func integer(s string) (uint64, bool) {
	if s == "" || len(s) > 16 || s[0] == '0' && s != "0" {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= action.MaxInteger
}
