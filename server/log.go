package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// getLog reads a log: entries after an index, waiting for the first one where the caller asks for that.
func (s *Server) getLog(w http.ResponseWriter, r *http.Request, p Principal) error {
	values, err := s.readQuery(r, p, Read)
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
	st := s.stream(q.stream)
	defer s.release(st)
	moved := make(chan struct{}, 1)
	st.watchers.watch(moved) // before the look, so that no move is missed
	defer st.watchers.unwatch(moved)
	wait := min(time.Duration(q.wait)*time.Second, s.MaxWait)
	if !p.Until.IsZero() {
		wait = max(0, min(wait, p.Until.Sub(s.Now())))
	}
	if wait > 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // nothing more is read
	}
	var timeout <-chan time.Time
	for {
		log, err := s.Engine.Log(r.Context(), q.stream)
		if err != nil {
			return err
		}
		if q.after > log.Head {
			return errAbove
		}
		if q.after < log.Head || wait == 0 {
			return s.writeLog(w, r, q, log)
		}
		if timeout == nil {
			t := time.NewTimer(wait)
			defer t.Stop()
			timeout = t.C
		}
		select {
		case <-moved:
			if !s.Auth.Allow(p, q.stream, Read) { // rights may have gone meanwhile
				return errForbidden
			}
		case <-timeout:
			wait = 0
		case <-s.done:
			wait = 0
		case <-r.Context().Done():
			return nil
		}
	}
}

var errAbove = problem(action.CodeEpoch, "", "after lies above the head")

func (s *Server) writeLog(w http.ResponseWriter, r *http.Request, q logQuery, log Log) error {
	entries, err := s.Engine.Read(r.Context(), q.stream, q.after, min(q.limit, s.MaxEntries), protocol.MaxAnswerBytes)
	if errors.Is(err, ErrConflict) { // not kept: a checkpoint stands for them
		c, err := s.Engine.Checkpoint(r.Context(), q.stream, 0)
		if err != nil || c == nil {
			return errors.Join(errors.New("the engine lacks entries below its head"), err)
		}
		a := answer{stream: q.stream, after: q.after, log: log, offer: c}
		writeBody(w, r, a.append(nil))
		return nil
	}
	if err != nil {
		return err
	}
	chain, known := log.Chain, q.after == log.Head
	if len(entries) > 0 {
		before, unchecked := action.Chain(0), entries
		if q.after > 0 {
			before, err = s.Engine.Chain(r.Context(), q.stream, q.after)
			if errors.Is(err, ErrConflict) { // the first one that is kept
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
	a := answer{stream: q.stream, after: q.after, entries: entries, log: Log{Epoch: log.Epoch, Head: log.Head, Chain: chain}, hasChain: known}
	writeBody(w, r, a.append(nil))
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
			return 0, false, bad("/"+name, "is no integer from "+strconv.FormatUint(least, 10)+" to "+strconv.FormatUint(most, 10))
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
