package server

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// heartbeat is how often a comment keeps a quiet connection alive, and rights are looked at again.
const heartbeat = 25 * time.Second

// sse is an answer of server-sent events under way.
type sse struct {
	w    http.ResponseWriter
	ctl  *http.ResponseController
	beat *time.Ticker
	ends <-chan time.Time // of the principal's token; nil for never
	stop func()
}

func (s *Server) newSSE(w http.ResponseWriter, p Principal) *sse {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Set("X-Accel-Buffering", "no") // a proxy that gathers what it passes on would gather the hints
	e := &sse{w: w, ctl: http.NewResponseController(w), beat: time.NewTicker(heartbeat)}
	e.stop = e.beat.Stop
	if !p.Until.IsZero() {
		t := time.NewTimer(p.Until.Sub(s.Now()))
		e.ends, e.stop = t.C, func() { e.beat.Stop(); t.Stop() }
	}
	_ = e.ctl.SetReadDeadline(time.Time{}) // nothing more is read; a deadline that passes would end the request
	w.WriteHeader(http.StatusOK)
	return e
}

// send writes text and gets it on its way; an error ends the answer.
func (e *sse) send(text []byte) error {
	_ = e.ctl.SetWriteDeadline(time.Now().Add(2 * heartbeat)) // of the server's own, which is for whole answers
	if _, err := e.w.Write(text); err != nil {
		return err
	}
	return e.ctl.Flush()
}

// errEnded ends an answer of events in good order.
var errEnded = errors.New("the events end")

// next waits until wake tells of something; meanwhile it keeps the connection alive. allowed is asked again and again.
func (s *Server) next(ctx context.Context, e *sse, wake <-chan struct{}, allowed func() bool) error {
	for {
		select {
		case <-wake:
			if !allowed() {
				return errEnded
			}
			return nil
		case <-e.beat.C:
			if !allowed() {
				return errEnded
			}
			if err := e.send([]byte(":\n\n")); err != nil {
				return err
			}
		case <-e.ends:
			return errEnded
		case <-s.done:
			return errEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// getEvents tells of what the address names.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request, p Principal) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return bad("", "the query cannot be read")
	}
	about := protocol.Topics{Streams: values["stream"], Data: values["data"]}
	switch {
	case about.Len() == 0:
		return bad("/stream", "is missing")
	case len(about.Streams) > protocol.MaxTopics || len(about.Data) > protocol.MaxTopics:
		return errTooLarge
	}
	for of, names := range map[string][]string{"/stream": about.Streams, "/data": about.Data} {
		for _, name := range names {
			if wrong := action.CheckStreamName(name); wrong != "" {
				return bad(of, wrong)
			}
		}
	}
	return s.events(w, r, p, about)
}

// postEvents tells of what the body names: many names make an address that is refused on the way.
func (s *Server) postEvents(w http.ResponseWriter, r *http.Request, p Principal) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return problem("unsupported-media-type", "", "what hints are asked about is application/json")
	}
	body, err := s.readBody(w, r)
	if err != nil {
		return err
	}
	about, err := protocol.DecodeTopics(string(body))
	if err != nil {
		return err
	}
	return s.events(w, r, p, about)
}

// events tells of the heads of streams, and of the ends of data streams, at once and whenever one moves.
func (s *Server) events(w http.ResponseWriter, r *http.Request, p Principal, about protocol.Topics) error {
	names := slices.Compact(slices.Sorted(slices.Values(about.Streams)))
	data := slices.Compact(slices.Sorted(slices.Values(about.Data)))
	// One connection is for all that a client has open: a name that may not be read is left out, and does not keep the others from being told.
	forbidden := func(name string) bool { return !s.Auth.Allow(p, name, Read) }
	names, data = slices.DeleteFunc(names, forbidden), slices.DeleteFunc(data, forbidden)
	if len(names)+len(data) == 0 {
		return errForbidden
	}
	allowed := func() bool { return !slices.ContainsFunc(names, forbidden) && !slices.ContainsFunc(data, forbidden) }
	wake := make(chan struct{}, 1)
	streams := make([]*stream, len(names))
	told := make([]int, len(names)) // up to which move
	var first []byte
	for i, name := range names {
		st := s.stream(name)
		defer s.release(st)
		st.watchers.watch(wake)
		defer st.watchers.unwatch(wake)
		streams[i] = st
		_, told[i] = st.watchers.last()
		log, err := s.Engine.Log(r.Context(), name)
		if err != nil {
			return err
		}
		first = appendHead(first, name, log.Head)
	}
	for _, name := range data {
		defer s.watchData(name, wake)()
	}
	tails := make([]string, len(data))
	var err error
	if first, err = s.appendTails(r.Context(), first, data, tails); err != nil {
		return err
	}
	e := s.newSSE(w, p)
	defer e.stop()
	for text := first; ; {
		if len(text) > 0 {
			if err := e.send(text); err != nil {
				return nil
			}
		}
		if err := s.next(r.Context(), e, wake, allowed); err != nil {
			return nil
		}
		text = nil
		for i, st := range streams {
			if head, moves := st.watchers.last(); moves != told[i] {
				told[i] = moves
				text = appendHead(text, names[i], head)
			}
		}
		if text, err = s.appendTails(r.Context(), text, data, tails); err != nil {
			return nil
		}
	}
}

// appendTails tells of the data streams whose end is not the one that was told; "" is that of one that is not there.
func (s *Server) appendTails(ctx context.Context, b []byte, names, told []string) ([]byte, error) {
	if len(names) == 0 {
		return b, nil
	}
	now := s.Now().UnixMilli()
	err := s.Engine.ViewData(ctx, func(tx DataTx) error {
		for i, name := range names {
			tail := "-"
			d, m, err := s.findData(tx, name, now)
			switch action.CodeOf(err) {
			default:
				if err != nil {
					return err
				}
				segs, err := segments(tx, d)
				if err != nil {
					return err
				}
				if tail = tailOf(segs).String(); m.Closed {
					tail += "/"
				}
			case action.CodeNotFound, action.CodeGone:
			}
			if tail == told[i] {
				continue
			}
			told[i] = tail
			b = append(append(b, "event: data\ndata: {\"data\":"...), quote(name)...)
			b = append(append(b, ",\"offset\":"...), quote(strings.Trim(tail, "-/"))...)
			b = append(b, "}\n\n"...)
		}
		return nil
	})
	return b, err
}

func appendHead(b []byte, stream string, head uint64) []byte {
	b = append(b, "event: head\ndata: {\"head\":"...)
	b = strconv.AppendUint(b, head, 10)
	b = append(append(b, `,"stream":`...), quote(stream)...)
	return append(b, "}\n\n"...)
}

// tail gives a log as events: an entry each, under its index; where entries are not kept, the checkpoint that stands for them.
func (s *Server) tail(w http.ResponseWriter, r *http.Request, p Principal, q logQuery) error {
	if last, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 53); err == nil {
		q.after = last
	}
	st := s.stream(q.stream)
	defer s.release(st)
	wake := make(chan struct{}, 1)
	st.watchers.watch(wake)
	defer st.watchers.unwatch(wake)
	log, err := s.Engine.Log(r.Context(), q.stream)
	if err != nil {
		return err
	}
	if q.after > log.Head {
		return errAbove
	}
	e := s.newSSE(w, p)
	defer e.stop()
	if err := e.send([]byte(":\n\n")); err != nil {
		return nil
	}
	allowed := func() bool { return s.Auth.Allow(p, q.stream, Read) }
	epoch := log.Epoch
	for {
		text, after, err := s.tailed(r.Context(), q, &epoch)
		if s.over(e) || !allowed() { // after the read: what came into the log when the right was gone is not told
			return nil
		}
		if err != nil {
			if r.Context().Err() == nil && !errors.Is(err, errEnded) {
				s.Log.Error("a tail failed", "stream", hashed(q.stream), "error", err)
			}
			return nil
		}
		if q.after = after; len(text) > 0 {
			if err := e.send(text); err != nil {
				return nil
			}
			continue
		}
		if err := s.next(r.Context(), e, wake, allowed); err != nil {
			return nil
		}
	}
}

// over tells whether the token or the server has ended.
func (s *Server) over(e *sse) bool {
	select {
	case <-e.ends:
		return true
	case <-s.done:
		return true
	default:
		return false
	}
}

// tailed gives the next events of a tail, and up to where they go. It ends where another log is in the place of the one of the epoch.
func (s *Server) tailed(ctx context.Context, q logQuery, epoch *action.UUID) (text []byte, after uint64, err error) {
	log, err := s.Engine.Log(ctx, q.stream)
	if err != nil {
		return nil, q.after, err
	}
	if *epoch == action.Nil {
		*epoch = log.Epoch
	}
	if log.Epoch != *epoch || log.Head < q.after {
		return nil, q.after, errEnded
	}
	entries, err := s.Engine.Read(ctx, q.stream, q.after, min(q.limit, s.MaxEntries), protocol.MaxAnswerBytes)
	if errors.Is(err, ErrConflict) {
		c, err := s.Engine.Checkpoint(ctx, q.stream, 0)
		if err != nil || c == nil || c.Index <= q.after {
			return nil, q.after, errors.Join(errors.New("the engine lacks entries below its head"), err)
		}
		text = append([]byte("event: checkpoint\nid: "), strconv.FormatUint(c.Index, 10)...)
		text = append(text, "\ndata: "...)
		text = append(text, strings.TrimSuffix(strings.TrimPrefix(string(appendOffer(nil, q.stream, c)), `"checkpoint":`), ",")...)
		return append(text, "\n\n"...), c.Index, nil
	}
	if err != nil {
		return nil, q.after, err
	}
	for i := range entries {
		q.after++
		text = append(text, "event: entry\nid: "...)
		text = strconv.AppendUint(text, q.after, 10)
		text = append(text, "\ndata: "...)
		text = appendEntry(text, q.after, &entries[i])
		text = append(text, "\n\n"...)
	}
	return text, q.after, nil
}
