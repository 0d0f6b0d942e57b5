package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

// api is a server on a listener of its own.
type api struct {
	t      *testing.T
	url    string
	token  string
	engine engine.Engine
	server *server.Server
}

func newAPI(t *testing.T, change func(c *server.Config)) *api {
	t.Helper()
	engine, err := sqlite.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := server.Config{Engine: engine, Auth: server.None(), Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&c)
	}
	s := server.New(c)
	h := httptest.NewServer(s)
	t.Cleanup(func() { s.Close(); h.Close(); engine.Close() })
	return &api{t: t, url: h.URL, engine: c.Engine, server: s}
}

func (a *api) request(method, path string, body []byte, header map[string]string) (int, http.Header, string) {
	a.t.Helper()
	req, err := http.NewRequest(method, a.url+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(out)
}

// item is one stream's part of an answer.
type item struct {
	Stream  string
	Epoch   string
	Head    uint64
	Chain   string
	Entries []struct {
		Index      uint64
		Stored, By string
		Action     json.RawMessage
	}
	Persisted []struct {
		ID    string
		Index uint64
	}
	Rejected   []struct{ ID, Code, Message string }
	Checkpoint *offer
	Turn       int
	Common     *uint64
	Error      *struct{ Code, Message string }
}

type offer struct {
	Index      uint64
	Epoch      string
	Chain, URL string
	Bytes      int
	SHA256     string
}

func (a *api) sync(body string) []item {
	a.t.Helper()
	status, header, text := a.request(http.MethodPost, "/v1/sync", []byte(body), nil)
	if status != 200 || header.Get("Cache-Control") != "no-store" {
		a.t.Fatalf("%d %v: %s", status, header, text)
	}
	var r struct{ Streams []item }
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		a.t.Fatal(err, text)
	}
	return r.Streams
}

// turn asks one stream; rest is what stands beside stream and client.
func (a *api) turn(client int, rest string) item {
	a.t.Helper()
	items := a.sync(`{"streams":[{"stream":"s","client":"` + clientID(client) + `",` + rest + `}]}`)
	if len(items) != 1 {
		a.t.Fatalf("%d items", len(items))
	}
	return items[0]
}

func clientID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
func objectID(n int) string { return fmt.Sprintf("0b1ec700-0000-4000-8000-%012d", n) }
func actionID(client, seq int) string {
	return fmt.Sprintf("ac710000-0000-7000-8%03d-%012d", client, seq)
}

func actionOf(client, seq int, base uint64, ops string) string {
	return fmt.Sprintf(`{"id":"%s","client":"%s","seq":%d,"base":%d,"ops":%s}`, actionID(client, seq), clientID(client), seq, base, ops)
}

func creates(n int) string {
	return `[{"op":"create","object":"` + objectID(n) + `","type":"t","fields":{"n":` + fmt.Sprint(n) + `}}]`
}

// at is what a client sends that has followed the log so far.
func at(it item) string {
	if it.Head == 0 {
		return `"after":0`
	}
	return fmt.Sprintf(`"after":%d,"epoch":"%s","chain":"%s"`, it.Head, it.Epoch, it.Chain)
}

func (a *api) get(path string) item {
	a.t.Helper()
	status, _, body := a.request(http.MethodGet, path, nil, nil)
	var it item
	if err := json.Unmarshal([]byte(body), &it); status != 200 || err != nil {
		a.t.Errorf("%s: %d %s", path, status, body)
	}
	return it
}
