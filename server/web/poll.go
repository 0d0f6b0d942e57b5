package web

import (
	"net/http"
	"time"

	"github.com/strandline-sync/strandline/server/rights"
)

// Poll asks look, and again whenever wake tells of something, until it has answered or the time is over: then it is asked a last time, and
// answers whatever there is. A right that goes meanwhile ends it.
func (s *Host) Poll(w http.ResponseWriter, r *http.Request, p rights.Principal, wait time.Duration, wake <-chan struct{}, allowed func() bool, look func(over bool) (answered bool, err error)) error {
	wait = min(wait, s.MaxWait)
	if !p.Until.IsZero() {
		wait = max(0, min(wait, p.Until.Sub(s.Now())))
	}
	if wait > 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // nothing more is read
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	work := WorkOf(r.Context())
	for over := wait == 0; ; {
		if answered, err := look(over); answered || err != nil {
			return err
		}
		work.Pause()
		select {
		case <-wake:
			if !allowed() {
				return ErrForbidden
			}
		case <-timeout.C:
			over = true
		case <-s.Done:
			over = true
		case <-r.Context().Done():
			return nil
		}
		if err := work.Resume(r.Context()); err != nil {
			return err
		}
	}
}
