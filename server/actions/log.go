package actions

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// GetLog reads a log: entries after an index, waiting for the first one where the caller asks for that.
func (s *Streams) GetLog(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	values, err := s.StreamQuery(r, p, rights.Read)
	if err != nil {
		return err
	}
	q, err := parseLogQuery(values)
	if err != nil {
		return err
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return s.tail(w, r, p, q)
	}
	moved := make(chan struct{}, 1)
	_, stop := s.Watch(q.stream, moved) // before the look, so that no move is missed
	defer stop()
	allowed := func() bool { return s.Auth.Allow(p, q.stream, rights.Read) }
	return s.Poll(w, r, p, time.Duration(q.wait)*time.Second, moved, allowed, func(over bool) (bool, error) {
		log, err := s.engine.Log(r.Context(), q.stream)
		switch {
		case err != nil:
			return false, err
		case q.after > log.Head:
			return false, errAbove
		case q.after == log.Head && !over:
			return false, nil
		}
		return true, s.writeLog(w, r, q, log)
	})
}

var errAbove = web.Problem(action.CodeEpoch, "", "after lies above the head")

func (s *Streams) writeLog(w http.ResponseWriter, r *http.Request, q logQuery, log engine.Log) error {
	entries, err := s.engine.Read(r.Context(), q.stream, q.after, min(q.limit, s.MaxEntries), protocol.MaxAnswerBytes)
	if errors.Is(err, engine.ErrConflict) { // not kept: a checkpoint stands for them
		c, err := s.engine.Checkpoint(r.Context(), q.stream, 0)
		if err != nil || c == nil {
			return errors.Join(errors.New("the engine lacks entries below its head"), err)
		}
		a := answer{stream: q.stream, after: q.after, log: log, offer: c}
		web.WriteBody(w, r, a.append(nil))
		return nil
	}
	if err != nil {
		return err
	}
	chain, known := log.Chain, q.after == log.Head
	if len(entries) > 0 {
		before, unchecked := action.Chain(0), entries
		if q.after > 0 {
			before, err = s.engine.Chain(r.Context(), q.stream, q.after)
			if errors.Is(err, engine.ErrConflict) { // the first one that is kept
				before, unchecked = entries[0].Chain, entries[1:]
			} else if err != nil {
				return err
			}
		}
		if err := intact(before, unchecked); err != nil {
			return err
		}
		chain, known = entries[len(entries)-1].Chain, true
		log.Head = max(log.Head, q.after+uint64(len(entries))) // the head was read first
	}
	a := answer{stream: q.stream, after: q.after, entries: entries, log: engine.Log{Epoch: log.Epoch, Head: log.Head, Chain: chain}, hasChain: known}
	web.WriteBody(w, r, a.append(nil))
	return nil
}

type logQuery struct {
	stream string
	after  uint64
	limit  int
	wait   int // seconds
}

func parseLogQuery(values url.Values) (q logQuery, err error) {
	q = logQuery{stream: values.Get("stream"), limit: protocol.MaxEntries}
	number := func(name string, least, most uint64) (uint64, bool, error) {
		text, given := values[name]
		if !given {
			return 0, false, nil
		}
		n, err := strconv.ParseUint(text[0], 10, 64)
		if err != nil || n < least || n > most {
			return 0, false, web.Bad("/"+name, "is no integer from "+strconv.FormatUint(least, 10)+" to "+strconv.FormatUint(most, 10))
		}
		return n, true, nil
	}
	if q.after, _, err = number("after", 0, action.MaxInteger); err != nil {
		return q, err
	}
	if n, given, err := number("limit", 1, action.MaxInteger); err != nil {
		return q, err
	} else if given {
		q.limit = int(min(n, 1<<30))
	}
	n, _, err := number("wait", 0, 60)
	q.wait = int(n)
	return q, err
}
