package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
)

// Change is what an entry of the log has made of an object.
type Change struct {
	Index     uint64          `json:"index"`
	At        time.Time       `json:"at"`
	By        string          `json:"by"` // who wrote it, as the server knows them
	Client    action.UUID     `json:"-"`
	Action    action.UUID     `json:"-"`
	Kind      string          `json:"kind"`      // "create", "update" or "remove"
	Changed   []string        `json:"changed"`   // keys that have another value since
	Discarded string          `json:"discarded"` // a reason, where nothing of it stood
	Row       json.RawMessage `json:"row"`       // the object from then on; nil where it is not there
}

// History is what has become of an object.
type History struct {
	Changes []Change        `json:"changes"` // oldest first
	From    uint64          `json:"from"`    // entries up to here are not told: a checkpoint stands for them
	Row     json.RawMessage `json:"row"`     // the object as it was there
	More    bool            `json:"more"`    // there were earlier changes than these
	Head    uint64          `json:"head"`
}

// UnmarshalJSON reads one as the server writes it.
func (c *Change) UnmarshalJSON(b []byte) error {
	type plain Change
	ids := struct {
		*plain
		Client string `json:"client"`
		Action string `json:"action"`
	}{plain: (*plain)(c)}
	if err := json.Unmarshal(b, &ids); err != nil {
		return err
	}
	c.Client, _ = action.ParseUUID(ids.Client)
	c.Action, _ = action.ParseUUID(ids.Action)
	return nil
}

// historyIdle is how long nothing may come: the log is folded first.
var historyIdle = plan.Idle{First: 60_000, Next: 30_000}

// History asks the server who has changed an object, what and when: entry by entry, the last 1,000. What is pending here is not in it.
func (s *Stream) History(ctx context.Context, id action.UUID) (*History, error) {
	db := s.db
	if db.url == "" {
		return nil, action.Fail(action.CodeUnreachable, "", "no server was named")
	}
	q := url.Values{"stream": {s.in.Name()}, "object": {id.String()}}
	resp, ctx, alive, stop, err := db.send(ctx, historyIdle, http.MethodGet, db.url+"/history?"+q.Encode(), nil, map[string]string{"Accept": "application/json"})
	defer stop()
	if err != nil {
		return nil, wayError(ctx, err)
	}
	defer resp.Body.Close()
	alive()
	if resp.StatusCode != http.StatusOK {
		_, err := problemOf(ctx, resp)
		return nil, err
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, wayError(ctx, err)
	}
	h := new(History)
	if err := json.Unmarshal(b, h); err != nil {
		return nil, &action.Error{Code: action.CodeBadAnswer, Message: "the history cannot be read", Cause: err}
	}
	return h, nil
}
