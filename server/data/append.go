package data

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/rights"

	"github.com/strandline-sync/strandline/server/web"
)

// entriesType is a request's body that holds several entries, each with an id of its writer's choice, whatever the stream's type: of each,
// 16 bytes of id, 4 bytes of length (big-endian), and its bytes.
const entriesType = "application/vnd.strandline.entries"

// appending is what a POST to a data stream asks for.
type appending struct {
	kind     string // its Content-Type
	body     []byte
	closes   bool
	seq      string // Stream-Seq
	hasSeq   bool
	producer string // its key in the engine; "": none
	at       engine.Producer
	entry    action.UUID // of the one message
	after    string      // an offset that the writer has read to, of the stream that it means; "": it does not say
	typed    string      // the type of the stream that it means, beside a body of several entries; "": it does not say
	part     *uploadPart
}

// appended is what came of it.
type appended struct {
	stream    *engine.DataStream
	meta      *meta
	tail      position
	duplicate bool
	whole     bool  // all of the request's entries are new
	upload    int64 // bytes of the entry that are there
	partial   bool  // and more are to come
	seq       uint64
}

// Post appends to a data stream, or closes it, or both.
func (s *Streams) Post(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	name, err := nameOf(r)
	if err != nil {
		return err
	}
	if !s.Auth.Allow(p, name, rights.Append) {
		return web.ErrForbidden
	}
	a, err := readAppending(r, p)
	if err != nil {
		return err
	}
	if a.body, err = s.ReadBody(w, r); err != nil {
		return err
	}
	if err := a.check(); err != nil {
		return err
	}
	now := s.Now().UnixMilli()
	// What costs time is done before the commit that others wait for.
	var meta *meta
	var id uint64
	var there int64 // of the entry that comes in parts
	if err := s.engine.ViewData(r.Context(), func(tx engine.DataTx) error {
		d, m, err := s.find(tx, name, now)
		if err != nil {
			return err
		}
		meta, id = m, d.ID
		if a.part == nil {
			return nil
		}
		u, err := tx.Upload(d.ID, a.producer)
		if u != nil {
			there = u.Size
		}
		return err
	}); err != nil {
		return err
	}
	brings := int64(len(a.body))
	if a.part != nil { // it comes to what is there of the entry, or, at 0, in the place of that
		brings += a.part.offset - there
	}
	if err := s.allow(r.Context(), p, brings, false); err != nil {
		return err
	}
	messages, wrong := a.messages(meta)
	if wrong == nil && !meta.Closed {
		wrong = s.judge(r.Context(), p, name, meta, a, messages)
		var e *action.Error
		if wrong != nil && (!errors.As(wrong, &e) || e.Retryable()) {
			return wrong
		}
	}
	var out appended
	err = s.update(r.Context(), web.Rows(len(messages), len(a.body)), func(tx engine.DataTx) error {
		d, m, err := s.find(tx, name, now)
		if err != nil {
			return err
		}
		if d.ID != id {
			return web.Problem(action.CodeUnavailable, "", "the stream was made anew meanwhile")
		}
		out = appended{stream: d, meta: m}
		if a.closes && !m.Closed && !s.mayClose(p, name, d) {
			return web.ErrForbidden
		}
		return s.add(tx, p, a, messages, wrong, now, &out)
	})
	h := w.Header()
	if err != nil && a.producer != "" && out.stream != nil {
		s.tellProducer(r.Context(), h, out.stream.ID, a.producer)
	}
	var gap *seqGap
	if errors.As(err, &gap) {
		gap.describe(h)
		return gap.problem()
	}
	if err == errClosed {
		h.Set("Stream-Closed", "true")
		h.Set("Stream-Next-Offset", out.tail.String())
	}
	if err != nil {
		return err
	}
	s.use(out.stream.ID, out.meta, now)
	switch {
	case out.partial:
		h.Set("Upload-Offset", strconv.FormatInt(out.upload, 10))
		h.Set("Upload-Complete", "?0")
		w.WriteHeader(http.StatusNoContent)
		return nil
	case !out.duplicate:
		s.moved(name)
	}
	h.Set("Stream-Next-Offset", out.tail.String())
	if out.whole && !out.duplicate { // so that the writer knows where its entries are
		h.Set("Strandline-Head", strconv.FormatUint(out.stream.Head, 10))
	}
	if a.producer != "" {
		h.Set("Producer-Epoch", strconv.FormatUint(a.at.Epoch, 10))
		h.Set("Producer-Seq", strconv.FormatUint(out.seq, 10))
	}
	if out.meta.Closed {
		h.Set("Stream-Closed", "true")
	}
	if a.producer != "" && !out.duplicate && len(a.body) > 0 {
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// mayClose tells whether a principal may close a stream for all: its maker, and who may delete it. Of one of an earlier format nobody knows who made it.
func (s *Streams) mayClose(p rights.Principal, name string, d *engine.DataStream) bool {
	return d.By == p.Subject || d.By == "" || s.Auth.Allow(p, name, rights.Delete)
}

// readAppending reads the headers.
func readAppending(r *http.Request, p rights.Principal) (*appending, error) {
	h := r.Header
	a := &appending{kind: h.Get("Content-Type"), closes: isTrue(h.Get("Stream-Closed"))}
	a.seq, a.hasSeq = header(h, "Stream-Seq")
	id, hasID := header(h, "Producer-Id")
	epoch, hasEpoch := header(h, "Producer-Epoch")
	seq, hasSeq := header(h, "Producer-Seq")
	if hasID || hasEpoch || hasSeq {
		if !hasID || !hasEpoch || !hasSeq {
			return nil, web.Bad("/Producer-Id", "Producer-Id, Producer-Epoch and Producer-Seq come together")
		}
		if id == "" || len(id) > 256 {
			return nil, web.Bad("/Producer-Id", "has 1 to 256 bytes")
		}
		// A producer belongs to its principal: nobody fences another's.
		a.producer = p.Subject + "\x00" + id
		var ok bool
		if a.at.Epoch, ok = integer(epoch); !ok {
			return nil, web.Bad("/Producer-Epoch", "is no whole number up to 2^53-1")
		}
		if a.at.Seq, ok = integer(seq); !ok {
			return nil, web.Bad("/Producer-Seq", "is no whole number up to 2^53-1")
		}
	}
	a.after, a.typed = h.Get("Strandline-After"), h.Get("Stream-Content-Type")
	if given, there := header(h, "Strandline-Entry"); there {
		id, ok := action.ParseUUID(given)
		if !ok || id == action.Nil {
			return nil, web.Bad("/Strandline-Entry", "is no UUID")
		}
		a.entry = id
	}
	if complete, there := header(h, "Upload-Complete"); there {
		offset, ok := integer(h.Get("Upload-Offset"))
		switch {
		case complete != "?0" && complete != "?1":
			return nil, web.Bad("/Upload-Complete", "is ?0 or ?1")
		case !ok || offset > uint64(maxUpload):
			return nil, web.Bad("/Upload-Offset", "is no whole number up to "+strconv.FormatInt(maxUpload, 10))
		case a.producer == "":
			return nil, web.Bad("/Producer-Id", "is missing: an entry in parts is a producer's")
		case a.closes:
			return nil, web.Bad("/Stream-Closed", "stands beside a part of an entry")
		}
		a.part = &uploadPart{offset: int64(offset), last: complete == "?1"}
	}
	return a, nil
}

// maxMessages bounds those of one request: others wait for its commit.
const maxMessages = 10_000

func (a *appending) check() error {
	switch {
	case len(a.body) == 0 && !a.closes:
		return web.Bad("", "there is nothing to append")
	case len(a.body) > 0 && a.kind == "":
		return web.Bad("/Content-Type", "is missing")
	case len(a.body) > 0 && mediaType(a.kind) == "":
		return web.Bad("/Content-Type", "is no media type")
	case a.part != nil && a.part.offset+int64(len(a.body)) > maxUpload:
		return web.ErrTooLarge
	}
	return nil
}

// messages takes the body apart, as the stream's type has it. What is wrong with it is said after what is wrong with the stream.
func (a *appending) messages(m *meta) ([]message, error) {
	if mediaType(a.kind) == entriesType {
		if a.part != nil {
			return nil, web.Bad("/Content-Type", "an entry in parts comes alone")
		}
		if a.typed != "" && mediaType(a.typed) != mediaType(m.Type) {
			return nil, web.Problem(web.CodeContentType, "/Stream-Content-Type", "the stream's is "+m.Type)
		}
		return unframe(m, a.body)
	}
	if len(a.body) > 0 && mediaType(a.kind) != mediaType(m.Type) {
		return nil, web.Problem(web.CodeContentType, "/Content-Type", "the stream's is "+m.Type)
	}
	if a.part != nil {
		if m.isJSON() {
			return nil, web.Bad("/Upload-Complete", "a JSON message comes in one part")
		}
		return nil, nil
	}
	messages, err := split(m, a.body, false)
	if err == nil && a.entry != action.Nil {
		if len(messages) != 1 {
			return nil, web.Bad("/Strandline-Entry", "names one message")
		}
		messages[0].id = a.entry
	}
	return messages, err
}

// errClosed says that nothing is appended any more.
var errClosed = web.Problem(action.CodeClosed, "", "the stream is closed")

// add carries out a POST. The order of refusals is the protocol's: closed, content type, sequence; a producer's duplicates are none.
func (s *Streams) add(tx engine.DataTx, p rights.Principal, a *appending, messages []message, wrong error, now int64, out *appended) error {
	d, m := out.stream, out.meta
	segs, err := segments(tx, d)
	if err != nil {
		return err
	}
	out.tail, out.seq = tailOf(segs), a.at.Seq
	if a.after != "" {
		_, _, err := locate(tx, segs, a.after, m.isJSON())
		if code := action.CodeOf(err); code == action.CodeMalformed || code == action.CodeGone {
			return web.Problem(action.CodeGone, "/Strandline-After", "it is another stream")
		}
	}
	named := a.named(messages)
	if m.Closed {
		if len(named) > 0 && a.producer != "" { // it may have been taken before the stream was closed: ids tell
			left, err := unknown(tx, d.ID, named)
			if err != nil || len(left) == 0 {
				out.duplicate = true
				return err
			}
		}
		if a.closes && len(a.body) == 0 && a.producer == "" {
			out.duplicate = true
			return nil
		}
		if m.ClosedBy != nil && m.ClosedBy.is(a) {
			out.duplicate = true
			return sameEntries(tx, d.ID, named)
		}
		return errClosed
	}
	var e *action.Error
	if errors.As(wrong, &e) && e.Code == web.CodeContentType {
		return wrong
	}
	if a.producer != "" {
		known, err := tx.Producer(d.ID, a.producer)
		if err != nil {
			return err
		}
		last, duplicate, err := follows(a.at, known)
		if err != nil {
			return err
		}
		if duplicate {
			out.duplicate, out.seq = true, last
			return sameEntries(tx, d.ID, named)
		}
	}
	if a.hasSeq && m.Seq != nil && bytes.Compare([]byte(a.seq), m.Seq) <= 0 {
		return web.Problem(web.CodeSequence, "/Stream-Seq", "is not above the last one")
	}
	if wrong != nil {
		return wrong
	}
	given := len(messages)
	if messages, err = unknown(tx, d.ID, messages); err != nil {
		return err
	}
	out.whole = len(messages) == given
	if a.part != nil {
		if done, err := s.addPart(tx, p, a, now, out); err != nil || !done {
			return err
		}
	} else if err := tx.AppendData(d.ID, s.entriesOf(d, p, messages, now)); err != nil {
		return err
	}
	if a.producer != "" {
		if err := tx.PutProducer(d.ID, a.producer, a.at); err != nil {
			return err
		}
	}
	if a.hasSeq {
		m.Seq = []byte(a.seq)
	}
	if a.closes {
		m.Closed = true
		if a.producer != "" {
			m.ClosedBy = &closing{nameless(a.producer), a.at}
		}
	}
	if m.TTL != nil {
		m.Used = now
	}
	if err := m.write(d); err != nil {
		return err
	}
	segs[len(segs)-1].toBytes, segs[len(segs)-1].toIndex = d.Tail, d.Head
	out.tail = tailOf(segs)
	return tx.PutData(d)
}

var errNotItsOwn = web.Problem(web.CodeFenced, "/Producer-Seq", "another one writes under this Producer-Id")

// named are the request's messages that have ids; an entry in parts is one.
func (a *appending) named(messages []message) (out []message) {
	if a.part != nil {
		messages = []message{{id: a.entry}}
	}
	for _, m := range messages {
		if m.id != action.Nil {
			out = append(out, m)
		}
	}
	return out
}

// sameEntries refuses what is no duplicate, though it has a duplicate's number: a copy of the producer's storage sends entries of its own.
// Those without ids cannot be told apart.
func sameEntries(tx engine.DataTx, stream uint64, named []message) error {
	left, err := unknown(tx, stream, named)
	if err == nil && len(left) > 0 {
		err = errNotItsOwn
	}
	return err
}

// unknown leaves out the messages whose ids the stream has: one whose producer began anew, under a new epoch or name, sends again what it
// does not know to be there.
func unknown(tx engine.DataTx, stream uint64, messages []message) ([]message, error) {
	var out []message
	seen := map[action.UUID]bool{}
	for _, m := range messages {
		if m.id != action.Nil {
			if seen[m.id] {
				continue
			}
			seen[m.id] = true
			index, err := tx.FindData(stream, m.id)
			if err != nil {
				return nil, err
			}
			if index > 0 {
				continue
			}
		}
		out = append(out, m)
	}
	return out, nil
}
