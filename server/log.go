package server

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core"
)

// getLog reads a log: entries after an index, waiting for the first one where the caller asks for that.
func (s *Server) getLog(w http.ResponseWriter, r *http.Request, p Principal) error {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return bad("", "the query cannot be read")
	}
	if wrong := core.CheckStreamName(values.Get("stream")); wrong != "" {
		return bad("/stream", wrong)
	}
	if !s.Auth.Allow(p, values.Get("stream"), Read) {
		return errForbidden
	}
	q, err := parseLogQuery(values)
	if err != nil {
		return err
	}
	st := s.stream(q.stream)
	defer s.release(st)
	wait := min(time.Duration(q.wait)*time.Second, s.MaxWait)
	var timeout <-chan time.Time
	for {
		moved := st.wait() // before the look, so that no move is missed
		log, err := s.Engine.Log(r.Context(), q.stream)
		if err != nil {
			return err
		}
		if q.after > log.Head {
			return problem(core.CodeEpoch, "", "after lies above the head")
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

func (s *Server) writeLog(w http.ResponseWriter, r *http.Request, q logQuery, log Log) error {
	entries, err := s.Engine.Read(r.Context(), q.stream, q.after, min(q.limit, s.MaxEntries), core.MaxAnswerBytes)
	if err != nil {
		return err
	}
	chain, known := log.Chain, q.after == log.Head
	if len(entries) > 0 {
		before := core.Chain(0)
		if q.after > 0 {
			if before, err = s.Engine.Chain(r.Context(), q.stream, q.after); err != nil {
				return err
			}
		}
		if err := intact(before, entries); err != nil {
			return err
		}
		chain, known = entries[len(entries)-1].Chain, true
		log.Head = max(log.Head, q.after+uint64(len(entries))) // the head was read first
	}
	a := answer{stream: q.stream, after: q.after, entries: entries, log: Log{log.Epoch, log.Head, chain}, hasChain: known}
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
	q = logQuery{stream: values.Get("stream"), limit: core.MaxEntries}
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
	if q.after, _, err = number("after", 0, core.MaxInteger); err != nil {
		return q, err
	}
	if n, given, err := number("limit", 1, core.MaxInteger); err != nil {
		return q, err
	} else if given {
		q.limit = int(min(n, 1<<30))
	}
	n, _, err := number("wait", 0, 60)
	q.wait = int(n)
	return q, err
}
