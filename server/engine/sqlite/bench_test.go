package sqlite_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

// Durable appends, to the engine alone and through the whole server, sync requests and all: batches of 500 to one stream, and single
// actions to streams of many writers at once, which share commits. ns/op is of one action.
func BenchmarkAppend(b *testing.B) {
	const batch = 500
	raw := func(client, seq int) string {
		return fmt.Sprintf(`{"at":"2026-11-22T20:00:00.000Z","base":0,"client":"%s","id":"00000000-0000-4000-8001-%06d%06d","ops":[{"fields":{"done":false,"list":"list-1","rank":%d,"tags":["a","b"],"title":"Something to do, number %d"},"object":"00000000-0000-4000-8002-%06d%06d","op":"create","type":"todo"}],"seq":%d}`,
			clientOf(client), client, seq, seq%97, seq, client, seq, seq)
	}
	for _, through := range []string{"engine", "server"} {
		open := func(b *testing.B) *appender {
			e, err := sqlite.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { e.Close() })
			a := &appender{b: b, engine: e}
			if through == "server" {
				s := server.New(server.Config{Engine: e, Auth: server.None(), Log: slog.New(slog.DiscardHandler), Rate: 1e9, Burst: 1e9})
				web := httptest.NewServer(s)
				b.Cleanup(web.Close)
				a.url = web.URL
				a.client = web.Client()
				a.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
			}
			return a
		}
		b.Run("batch=500/"+through, func(b *testing.B) {
			a := open(b)
			w := writer{appender: a, client: 1}
			for n := 0; b.Loop(); n++ {
				if n%batch == 0 {
					raws := make([]string, batch)
					for i := range raws {
						raws[i] = raw(1, n+i+1)
					}
					w.append(raws)
				}
			}
		})
		b.Run("writers=64/"+through, func(b *testing.B) {
			a := open(b)
			var clients atomic.Int64
			b.SetParallelism(32) // of each of two processors
			b.RunParallel(func(pb *testing.PB) {
				w := writer{appender: a, client: int(clients.Add(1))}
				for n := 1; pb.Next(); n++ {
					w.append([]string{raw(w.client, n)})
				}
			})
		})
	}
}

func clientOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

type appender struct {
	b      *testing.B
	engine engine.Engine
	url    string
	client *http.Client
}

// writer appends to a stream of its own.
type writer struct {
	*appender
	client int
	head   uint64
	epoch  string
	chain  string
}

func (w *writer) append(raws []string) {
	if w.url == "" {
		entries := make([]engine.Entry, len(raws))
		for i, raw := range raws {
			entries[i] = engine.Entry{Stored: 1, Chain: action.Chain(w.head), Raw: raw}
		}
		if err := w.engine.Append(w.b.Context(), fmt.Sprint("s", w.client), action.UUID{1}, w.head, entries); err != nil {
			w.b.Error(err)
		}
		w.head += uint64(len(raws))
		return
	}
	at := ""
	if w.head > 0 {
		at = fmt.Sprintf(`,"chain":"%s","epoch":"%s"`, w.chain, w.epoch)
	}
	body := fmt.Sprintf(`{"streams":[{"stream":"s%d","client":"%s","after":%d%s,"actions":[%s]}]}`, w.client, clientOf(w.client), w.head, at, strings.Join(raws, ","))
	resp, err := w.appender.client.Post(w.url+"/v1/sync", "application/json", strings.NewReader(body))
	if err != nil {
		w.b.Error(err)
		return
	}
	var answer struct {
		Streams []struct {
			Epoch, Chain string
			Head         uint64
		}
	}
	err = json.NewDecoder(resp.Body).Decode(&answer)
	resp.Body.Close()
	if w.head += uint64(len(raws)); err != nil || len(answer.Streams) != 1 || answer.Streams[0].Head != w.head {
		w.b.Errorf("%v: %+v", err, answer)
		return
	}
	w.epoch, w.chain = answer.Streams[0].Epoch, answer.Streams[0].Chain
}
