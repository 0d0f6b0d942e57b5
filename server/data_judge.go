package server

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
)

// JudgedEntry is an entry of a data stream that a hook judges. It is to be read only.
type JudgedEntry struct {
	Principal   Principal
	Stream      string
	ContentType string
	Body        []byte
	Partial     bool // Body is the first part of an entry that comes in several
}

// judgeData asks the hook about each message; the first one that it refuses is the answer.
func (s *Server) judgeData(ctx context.Context, p Principal, name string, m *dataMeta, a *appending, messages []message) error {
	if s.ValidateData == nil {
		return nil
	}
	if a.part != nil {
		if a.part.offset > 0 {
			return nil
		}
		return s.judgeEntry(ctx, &JudgedEntry{p, name, m.Type, a.body, !a.part.last}, "")
	}
	for i := range messages {
		if err := s.judgeEntry(ctx, &JudgedEntry{Principal: p, Stream: name, ContentType: m.Type, Body: messages[i].body}, "/"+strconv.Itoa(i)); err != nil {
			return err
		}
	}
	return nil
}

// judgeCreation asks it about what a stream is created with.
func (s *Server) judgeCreation(ctx context.Context, p Principal, name string, want *dataMeta, source *origin, body []byte, now int64) error {
	if s.ValidateData == nil || len(body) == 0 {
		return nil
	}
	m := &dataMeta{Type: want.Type}
	if m.Type == "" && source != nil {
		if err := s.Engine.ViewData(ctx, func(tx DataTx) error {
			_, sm, err := s.findData(tx, source.name, now)
			if err == nil {
				m = sm
			}
			return err
		}); err != nil {
			return err
		}
	}
	messages, err := split(m, body, true)
	if err != nil {
		return err
	}
	return s.judgeData(ctx, p, name, m, &appending{}, messages)
}

func (s *Server) judgeEntry(ctx context.Context, j *JudgedEntry, path string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("a hook panicked", "stream", hashed(j.Stream), "panic", r, "stack", string(debug.Stack()))
			err = problem(action.CodeUnavailable, "", "the server could not judge it now")
		}
	}()
	if err = s.ValidateData(ctx, j); err == nil {
		return nil
	}
	var e *action.Error
	if !errors.As(err, &e) {
		return problem(action.CodeInvalid, path, err.Error())
	}
	if statuses[e.Code] == 0 {
		e = problem(action.CodeInvalid, path, e.Message) // a code of the app's own has no status
	}
	return e
}
