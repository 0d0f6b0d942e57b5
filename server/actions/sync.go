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
	b := []byte(`{"streams":[`)
	left := room{asked: bytes, most: s.MaxAnswerBytes}
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		a := s.turn(ctx, p, &items[i], &left)
		b = a.append(b)
	}
	return append(b, "]}"...), nil
}
