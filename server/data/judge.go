package data

import (
	"context"
	"errors"
	"runtime/debug"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"

	"github.com/strandline-sync/strandline/server/engine"

	"github.com/strandline-sync/strandline/server/rights"

	"github.com/strandline-sync/strandline/server/web"
)

// JudgedEntry is an entry of a data stream that a hook judges. It is to be read only.
type JudgedEntry struct {
	Principal   rights.Principal
	Stream      string
	ContentType string
	Body        []byte
	Partial     bool // Body is the first part of an entry that comes in several
}

// judge asks the hook about each message; the first one that it refuses is the answer.
func (s *Streams) judge(ctx context.Context, p rights.Principal, name string, m *meta, a *appending, messages []message) error {
	if s.validate == nil {
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
func (s *Streams) judgeCreation(ctx context.Context, p rights.Principal, name string, want *meta, source *origin, body []byte, now int64) error {
	if s.validate == nil || len(body) == 0 {
		return nil
	}
	m := &meta{Type: want.Type}
	if m.Type == "" && source != nil {
		if err := s.engine.ViewData(ctx, func(tx engine.DataTx) error {
			_, sm, err := s.find(tx, source.name, now)
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
	return s.judge(ctx, p, name, m, &appending{}, messages)
}

func (s *Streams) judgeEntry(ctx context.Context, j *JudgedEntry, path string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("a hook panicked", "stream", web.Hashed(j.Stream), "panic", r, "stack", string(debug.Stack()))
			err = web.Problem(action.CodeUnavailable, "", "the server could not judge it now")
		}
	}()
	if err = s.validate(ctx, j); err == nil {
		return nil
	}
	var e *action.Error
	if !errors.As(err, &e) {
		return web.Problem(action.CodeInvalid, path, err.Error())
	}
	if !web.Known(e.Code) {
		e = web.Problem(action.CodeInvalid, path, e.Message) // a code of the app's own has no status
	}
	return e
}
