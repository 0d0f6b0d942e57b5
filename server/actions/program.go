package actions

import (
	"context"
	"crypto/sha256"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// Write is what a program that holds the server appends.
type Write struct {
	Stream string
	// Writer is who writes, by a name of the program's own: its entries are by it, under a client id that is made of it. Two that write at once under one
	// name are one writer.
	Writer string
	// ID is the action's. A writer that does not know whether its last one was taken appends it again: that gives the same entry. Zero: a new one, which
	// cannot be asked for again.
	ID action.UUID
	// Ops are one op, or an array of ops, as JSON.
	Ops string
}

// Written is what came of it.
type Written struct {
	ID     action.UUID
	Index  uint64
	Again  bool          // it was there already; its effect is not known then
	Effect *state.Effect // what the fold made of it: an action that is taken may still change nothing
}

// WriterID is the client id of a program's writer.
func WriterID(writer string) action.UUID {
	sum := sha256.Sum256([]byte("strandline/writer/" + writer))
	id := action.UUID(sum[:16])
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8: of the server's own making
	return id
}

// Append appends an action of the program that holds the server. It asks neither rights nor hooks: limits hold. What it appends is durable when it returns;
// an error of the code unavailable, internal or a context's leaves open whether it was.
func (s *Streams) Append(ctx context.Context, w Write) (*Written, error) {
	if wrong := action.CheckStreamName(w.Stream); wrong != "" {
		return nil, web.Bad("/stream", wrong)
	}
	if w.Writer == "" {
		return nil, web.Bad("/writer", "is missing")
	}
	if err := s.Takes(); err != nil {
		return nil, err
	}
	client := WriterID(w.Writer)
	st := s.stream(w.Stream)
	defer s.release(st)
	st.lock(ctx)
	defer st.mu.Unlock()
	if _, err := s.known(ctx, st, true); err != nil {
		return nil, err
	}
	defer s.folded(st)
	row, _ := st.state.Client(client)
	if w.ID != action.Nil && row.Action == w.ID {
		return &Written{ID: w.ID, Index: row.Index, Again: true}, nil
	}
	if w.ID == action.Nil {
		w.ID = s.NewID()
	}
	ops := w.Ops
	if len(ops) > 0 && ops[0] == '{' {
		ops = "[" + ops + "]"
	}
	if _, err := action.Canonical(ops, action.MaxDepth); err != nil { // so that no text can be more than ops
		return nil, action.Under("ops", err)
	}
	a, err := action.DecodeAction(`{"at":"` + s.Now().UTC().Format("2006-01-02T15:04:05.000Z") + `","base":` + strconv.FormatUint(st.state.Head, 10) + `,"client":"` + client.String() +
		`","id":"` + w.ID.String() + `","ops":` + ops + `,"seq":` + strconv.FormatUint(row.Seq+1, 10) + `}`)
	if err != nil {
		return nil, err
	}
	offer := &protocol.Offer{Action: *a}
	if reason := s.malformed(st.state.Head, offer); reason != nil {
		return nil, reason
	}
	b := batch{work: st.state.Work(a)}
	if reason := s.tooMuch(st, a, b.work, &b); reason != nil {
		return nil, reason
	}
	effect := new(state.Effect)
	st.loaded = false
	b.addWith(st.state, a, w.Writer, s.Now().UnixMilli(), effect)
	b.taken = append(b.taken, a)
	var ans answer
	it := &protocol.SyncRequest{SyncItem: protocol.SyncItem{Stream: w.Stream, Client: client}}
	if err := s.append(ctx, rights.Principal{Subject: w.Writer}, st, it, &ans, &b, false); err != nil {
		return nil, err
	}
	return &Written{ID: a.ID, Index: st.state.Head, Effect: effect}, nil
}
