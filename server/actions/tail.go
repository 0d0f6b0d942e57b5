package actions

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// tail gives a log as events: an entry each, under its index; where entries are not kept, the checkpoint that stands for them.
func (s *Streams) tail(w http.ResponseWriter, r *http.Request, p rights.Principal, q logQuery) error {
	if last, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 53); err == nil {
		q.after = last
	}
	wake := make(chan struct{}, 1)
	_, stop := s.Watch(q.stream, wake)
	defer stop()
	log, err := s.engine.Log(r.Context(), q.stream)
	if err != nil {
		return err
	}
	if q.after > log.Head {
		return errAbove
	}
	f := following{epoch: log.Epoch, after: q.after, limit: min(q.limit, s.MaxEntries)}
	return s.Follow(w, r, p.Until, &web.Feed{
		Next:    func(ctx context.Context) ([]byte, bool, error) { return s.tailed(ctx, q.stream, &f) },
		Wake:    wake,
		Allowed: func() bool { return s.Auth.Allow(p, q.stream, rights.Read) },
	})
}

// following is where a tail is in a log.
type following struct {
	epoch action.UUID
	after uint64
	chain action.Chain // at after, where it is known
	known bool
	limit int
}

// tailed gives the next events of a tail. It ends where another log is in the place of the one of the epoch, and where an entry is not what was stored.
func (s *Streams) tailed(ctx context.Context, stream string, f *following) (text []byte, more bool, err error) {
	log, err := s.engine.Log(ctx, stream)
	if err != nil {
		return nil, false, err
	}
	if f.epoch == action.Nil {
		f.epoch = log.Epoch
	}
	if log.Epoch != f.epoch || log.Head < f.after {
		return nil, false, web.ErrEnded
	}
	entries, err := s.engine.Read(ctx, stream, f.after, f.limit, protocol.MaxAnswerBytes)
	if errors.Is(err, engine.ErrConflict) {
		c, err := s.engine.Checkpoint(ctx, stream, 0)
		if err != nil || c == nil || c.Index <= f.after {
			return nil, false, errors.Join(errors.New("the engine lacks entries below its head"), err)
		}
		text = append([]byte("event: checkpoint\nid: "), strconv.FormatUint(c.Index, 10)...)
		text = append(text, "\ndata: "...)
		text = append(text, strings.TrimSuffix(strings.TrimPrefix(string(appendOffer(nil, stream, c)), `"checkpoint":`), ",")...)
		f.after, f.chain, f.known = c.Index, c.Chain, true
		return append(text, "\n\n"...), true, nil
	}
	if err != nil || len(entries) == 0 {
		return nil, false, err
	}
	if err := s.chained(ctx, stream, f, entries); err != nil {
		return nil, false, err
	}
	for i := range entries {
		f.after++
		text = append(text, "event: entry\nid: "...)
		text = strconv.AppendUint(text, f.after, 10)
		text = append(text, "\ndata: "...)
		text = appendEntry(text, f.after, &entries[i])
		text = append(text, "\n\n"...)
	}
	return text, true, nil
}

// chained checks that entries follow what was told, as they were stored.
func (s *Streams) chained(ctx context.Context, stream string, f *following, entries []engine.Entry) (err error) {
	unchecked := entries
	if !f.known && f.after > 0 {
		f.chain, err = s.engine.Chain(ctx, stream, f.after)
		if errors.Is(err, engine.ErrConflict) { // the first one that is kept
			f.chain, unchecked, err = entries[0].Chain, entries[1:], nil
		}
		if err != nil {
			return err
		}
	}
	if err := intact(f.chain, unchecked); err != nil {
		return err
	}
	f.chain, f.known = entries[len(entries)-1].Chain, true
	return nil
}
