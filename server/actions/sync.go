package actions

import (
	"context"
	"mime"
	"net/http"

	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/server/rights"
	"github.com/strandline-sync/strandline/server/web"
)

// PostSync answers a sync request.
func (s *Streams) PostSync(w http.ResponseWriter, r *http.Request, p rights.Principal) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return web.Problem("unsupported-media-type", "", "a sync request is application/json")
	}
	body, err := s.ReadBody(w, r)
	if err != nil {
		return err
	}
	out, err := s.Sync(r.Context(), p, string(body))
	if err != nil {
		return err
	}
	web.WriteBody(w, r, out)
	return nil
}

// room is what an answer has left for entries: of what the client has asked for, beyond which each stream still gets one entry, and of what an answer has
// at most, beyond which a stream gets none.
type room struct{ asked, most int }

// Sync answers the body of one sync request: what POST /v1/sync does, without HTTP.
func (s *Streams) Sync(ctx context.Context, p rights.Principal, body string) ([]byte, error) {
	items, bytes, err := protocol.DecodeSyncRequest(body)
	if err != nil {
		return nil, err
	}
	s.Limiter.Charge(p.Subject, len(items)-1)
	left, last := room{asked: bytes, most: s.MaxAnswerBytes}, s.Now().Add(turnLength)
	answers, rulings := make([]answer, len(items)), s.rule(ctx, p, items)
	for _, waits := range []bool{false, true} { // what must wait for somebody's turn does not hold up the others
		for i := range items {
			if s.waits(p, &items[i]) == waits && answers[i].stream == "" {
				answers[i] = s.turn(ctx, p, &items[i], &rulings[i], &left, last)
			}
		}
	}
	b := []byte(`{"streams":[`)
	for i := range answers {
		if i > 0 {
			b = append(b, ',')
		}
		if answers[i].stream == "" && items[i].Stream != "" { // it was held at the first look, and was not at the second
			answers[i] = s.turn(ctx, p, &items[i], &rulings[i], &left, last)
		}
		b = answers[i].append(b)
	}
	return append(b, "]}"...), nil
}

// waits tells whether an item would have to wait for another client's turn.
func (s *Streams) waits(p rights.Principal, it *protocol.SyncRequest) bool {
	if it.Err != nil || len(it.Offers) == 0 && !it.Drain || !s.Auth.Allow(p, it.Stream, rights.Append) {
		return false
	}
	s.mu.Lock()
	st := s.streams[it.Stream]
	s.mu.Unlock()
	if st == nil {
		return false
	}
	free, _ := st.pushers.held(it.Client, s.Now())
	return free != nil
}

// whose tells whose turns are counted together.
func whose(ctx context.Context, p rights.Principal) string {
	return p.Subject + "\x00" + web.WorkOf(ctx).Asker()[1]
}
