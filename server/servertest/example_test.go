package servertest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
	"github.com/strandline-sync/strandline/server/servertest"
)

// people is an authorizer: each person reads all, and appends under a name of its own.
type people struct{}

func (people) Authenticate(r *http.Request) (server.Principal, error) {
	name, is := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer token-of-")
	if !is {
		return server.Principal{}, &action.Error{Code: action.CodeUnauthorized, Message: "who are you?"}
	}
	return server.Principal{Subject: name}, nil
}

func (people) Allow(who server.Principal, stream string, right server.Right) bool {
	return right == server.Read || strings.HasPrefix(stream, who.Subject+"/")
}

// counted is an engine over another one: whatever keeps logs can be one.
type counted struct {
	engine.Engine
	appends *atomic.Int64
}

func (c counted) Append(ctx context.Context, stream string, epoch action.UUID, expect uint64, entries []engine.Entry) error {
	c.appends.Add(1)
	return c.Engine.Append(ctx, stream, epoch, expect, entries)
}

// An app's server has an authorizer, a judge, a validator, a clock and an engine of its own.
func TestAnAppsOwnServer(t *testing.T) {
	ctx := t.Context()
	var appends atomic.Int64
	var judged atomic.Int64
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := servertest.New(t, func(c *server.Config) {
		c.Auth = people{}
		c.Engine = counted{memory.New(), &appends}
		c.Now = func() time.Time { return noon }
		c.Judge = func(_ context.Context, b *server.Batch) ([]*action.Error, error) {
			judged.Add(1)
			out := make([]*action.Error, len(b.Actions))
			for i, a := range b.Actions {
				if strings.Contains(a.Raw, "gift") {
					out[i] = &action.Error{Code: "sold-out", Message: "there are no gifts left"}
				}
			}
			return out, nil
		}
		c.Validate = func(_ context.Context, j *server.Judged) error {
			n := 0
			for range j.Before.Objects("order") {
				n++
			}
			if n >= 2 {
				return errors.New("two orders will do")
			}
			return nil
		}
	})
	open := func(who, stream string) *client.Stream {
		db := s.Client(func(o *client.Options) {
			o.Token = func(context.Context) (string, error) { return "token-of-" + who, nil }
		})
		opened, err := db.Stream(ctx, stream)
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	order := func(in *client.Stream, what string) string {
		t.Helper()
		w, err := in.Create("order", map[string]any{"what": what})
		if err != nil {
			t.Fatal(err)
		}
		index, err := w.Persisted(ctx)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(index)
	}
	ada := open("ada", "ada/orders")
	for i, c := range [][2]string{{"tea", "1"}, {"gift", "sold-out: there are no gifts left"}, {"cake", "2"}, {"more", "invalid: two orders will do"}} {
		if got := order(ada, c[0]); got != c[1] {
			t.Errorf("%d: %s, want %s", i, got, c[1])
		}
	}
	if got := order(open("bob", "ada/orders"), "tea"); !strings.HasPrefix(got, "forbidden") {
		t.Error(got)
	}
	if appends.Load() != 2 || judged.Load() < 4 {
		t.Errorf("%d appends, judged %d times", appends.Load(), judged.Load())
	}
	heard := make(chan server.Entry, 2)
	consuming, stop := context.WithCancel(ctx)
	defer stop()
	go s.Consume(consuming, "kitchen", "*/orders", func(_ context.Context, c *server.Consumed) error {
		for _, e := range c.Entries {
			heard <- e
		}
		return c.Err
	})
	if e := <-heard; e.By != "ada" || !e.Stored.Equal(noon) || e.Index != 1 {
		t.Errorf("%+v", e)
	}
}
