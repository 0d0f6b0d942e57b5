package actions

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// mostChanges is how many changes a history tells of at most, and mostHistory how many bytes of them: the last ones.
const (
	mostChanges = 1000
	mostHistory = protocol.MaxAnswerBytes
)

// GetHistory tells what became of an object, entry by entry: the log is folded anew, from its beginning, or from the checkpoint that stands for what is
// not kept. One at a time: a fold takes the room of all of the state.
func (s *Streams) GetHistory(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	values, err := s.StreamQuery(r, p, rights.Read)
	if err != nil {
		return err
	}
	object, ok := action.ParseUUID(values.Get("object"))
	if !ok {
		return web.Bad("/object", "is no lower-case UUID")
	}
	h := history{object: object, stream: values.Get("stream")}
	if err := s.foldHistory(r.Context(), &h); err != nil {
		return err
	}
	web.WriteBody(w, r, h.append(nil))
	return nil
}

func (s *Streams) foldHistory(ctx context.Context, h *history) error {
	select {
	case s.history <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.history }()
	return h.fold(ctx, s.engine)
}

// history is what became of an object.
type history struct {
	stream  string
	object  action.UUID
	log     engine.Log
	from    uint64 // what came before this entry, and with it, is not told
	row     []byte // as it was there; empty: it was not
	changes [][]byte
	bytes   int
	more    bool // there were earlier ones
}

func (h *history) fold(ctx context.Context, e engine.Engine) error {
	log, err := e.Log(ctx, h.stream)
	if err != nil {
		return err
	}
	if err := web.WorkOf(ctx).Resume(ctx); err != nil {
		return err
	}
	st := &stream{name: h.stream, state: state.NewState()}
	if log.Oldest > 1 {
		if err := st.fromCheckpoint(ctx, e, &log); err != nil && st.state.Head == 0 {
			return err
		}
	}
	h.log, h.from, h.row = log, st.state.Head, st.state.AppendRow(nil, h.object)
	for st.state.Head < log.Head {
		entries, err := e.Read(ctx, h.stream, st.state.Head, 1000, 4<<20)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return &action.Error{Code: action.CodeInternal, Message: "the engine lacks entries below its head"}
		}
		for i := range entries {
			if err := h.apply(st.state, &entries[i]); err != nil {
				return err
			}
			if err := web.WorkOf(ctx).Slice(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// apply applies an entry, and takes note of what it has made of the object.
func (h *history) apply(s *state.State, en *engine.Entry) error {
	a, err := action.DecodeAction(en.Raw)
	if err != nil {
		return err
	}
	about := slices.ContainsFunc(a.Ops, func(op action.Op) bool { return op.Object == h.object })
	if !about {
		s.ApplyEntry(a, nil, nil)
		return nil
	}
	before := values(s.Object(h.object))
	existed := s.Exists(h.object)
	var e state.Effect
	s.ApplyEntry(a, nil, &e)
	var reason state.Reason
	stood := false
	for i := range a.Ops {
		if a.Ops[i].Object != h.object {
			continue
		}
		op := &e.Ops[i]
		none := op.Discarded || len(op.Keys) > 0 && len(op.Keys) == len(a.Ops[i].Changes)
		stood = stood || !e.Discarded && !none
		if reason == state.ReasonNone && none {
			if reason = op.Reason; reason == state.ReasonNone && len(op.Keys) > 0 {
				reason = op.Keys[0].Reason
			}
		}
	}
	if e.Reason != state.ReasonNone {
		reason = e.Reason
	}
	kind, exists := "update", s.Exists(h.object)
	switch {
	case !existed && exists:
		kind = "create"
	case existed && !exists:
		kind = "remove"
	}
	b := append([]byte(`{"action":"`), a.ID.String()...)
	b = append(append(b, `","at":`...), action.AppendStamp([]byte{'"'}, en.Stored)...)
	b = append(append(b, `","by":`...), web.Quote(en.By)...)
	b = append(changed(append(b, `,"changed":[`...), before, values(s.Object(h.object))), `],"client":"`...)
	b = append(a.Client.Append(b), '"')
	if !stood {
		b = append(append(b, `,"discarded":`...), web.Quote(string(reason))...)
	}
	b = strconv.AppendUint(append(b, `,"index":`...), s.Head, 10)
	b = append(append(b, `,"kind":`...), web.Quote(kind)...)
	if row := s.AppendRow(nil, h.object); len(row) > 0 {
		b = append(append(b, `,"row":`...), row...)
	}
	h.changes, h.bytes = append(h.changes, append(b, '}')), h.bytes+len(b)+1
	for len(h.changes) > mostChanges || h.bytes > mostHistory && len(h.changes) > 1 {
		h.bytes -= len(h.changes[0])
		h.changes, h.more = h.changes[1:], true
	}
	return nil
}

// values are an object's, by key.
func values(o state.Object) map[string]string {
	out := map[string]string{}
	if !o.Exists() {
		return out
	}
	for key, value := range o.Fields() {
		if value != "" { // else it was unset
			out[key] = value
		}
	}
	return out
}

// changed lists the keys whose values are others, sorted.
func changed(b []byte, before, after map[string]string) []byte {
	var keys []string
	for key, value := range after {
		if was, had := before[key]; !had || was != value {
			keys = append(keys, key)
		}
	}
	for key := range before {
		if _, has := after[key]; !has {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for i, key := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, web.Quote(key)...)
	}
	return b
}

func (h *history) append(b []byte) []byte {
	b = append(b, `{"changes":[`...)
	for i, c := range h.changes {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c...)
	}
	b = append(h.log.Epoch.Append(append(b, `],"epoch":"`...)), '"')
	b = strconv.AppendUint(append(b, `,"from":`...), h.from, 10)
	b = strconv.AppendUint(append(b, `,"head":`...), h.log.Head, 10)
	b = strconv.AppendBool(append(b, `,"more":`...), h.more)
	b = append(h.object.Append(append(b, `,"object":"`...)), '"')
	if len(h.row) > 0 {
		b = append(append(b, `,"row":`...), h.row...)
	}
	return append(append(append(b, `,"stream":`...), web.Quote(h.stream)...), '}')
}
