package protocol

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/strandline-sync/strandline/server"
)

// Of actions that cost much together a turn takes some, and the client offers the rest again: nothing is refused (S1).
func TestATurnTakesWhatItBears(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.MaxTurnWork = 2000 })
	it, offered := item{}, 0
	for turns := 1; offered < 20; turns++ {
		var all []string
		for i := offered; i < 20; i++ {
			all = append(all, actionOf(1, i+1, 0, `[{"op":"create","object":"`+objectID(i)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 400)+`"}}]`))
		}
		from := `"after":0`
		if offered > 0 {
			from = at(it)
		}
		it = a.turn(1, from+`,"actions":[`+strings.Join(all, ",")+`]`)
		if it.Error != nil || len(it.Rejected) > 0 || len(it.Persisted) == 0 || len(it.Persisted) > 4 {
			t.Fatalf("%+v", it)
		}
		offered += len(it.Persisted)
		if turns > 20 {
			t.Fatal("it does not end")
		}
	}
	// One that costs more than a turn alone is taken: it has a limit of its own.
	if it = a.turn(1, at(it)+`,"actions":[`+actionOf(1, 21, 0, `[{"op":"create","object":"`+objectID(99)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 4000)+`"}}]`)+`]`); len(it.Persisted) != 1 {
		t.Fatalf("%+v", it)
	}
}

// A stream's state has a limit: what makes it larger is refused, what makes it smaller is not (S23).
func TestAStateHasALimit(t *testing.T) {
	a := newAPI(t, func(c *server.Config) { c.MaxState = 3000 })
	it := a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, `[{"op":"create","object":"`+objectID(1)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 2000)+`"}}]`)+`]`)
	last := a.turn(1, at(it)+`,"actions":[`+actionOf(1, 2, 0, `[{"op":"create","object":"`+objectID(2)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 2000)+`"}}]`)+`]`)
	if len(last.Rejected) != 1 || last.Rejected[0].Code != "quota" {
		t.Fatalf("%+v", last)
	}
	it = a.turn(1, at(it)+`,"actions":[`+actionOf(1, 3, 0, `[{"op":"remove","object":"`+objectID(1)+`"}]`)+`]`)
	if len(it.Persisted) != 1 {
		t.Fatalf("%+v", it)
	}
	if it = a.turn(1, at(it)+`,"actions":[`+actionOf(1, 4, 0, `[{"op":"create","object":"`+objectID(2)+`","type":"t","fields":{"a":"`+strings.Repeat("x", 2000)+`"}}]`)+`]`); len(it.Persisted) != 1 {
		t.Fatalf("there is room again: %+v", it)
	}
}

// A body that breaks off is no verdict (F3), however it is packed; one that is whole, and nonsense, is.
func TestABodyMustComeOn(t *testing.T) {
	a := newAPI(t, nil)
	host := strings.TrimPrefix(a.url, "http://")
	for packing, body := range map[string][]byte{"identity": []byte(`{"streams":[`), "gzip": {0x1f, 0x8b, 8, 0}, "zstd": {0x28, 0xb5, 0x2f, 0xfd}} {
		c, err := net.Dial("tcp", host)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST /v1/sync HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\nContent-Length: 1000\r\n\r\n%s", host, packing, body)
		c.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(c)
		c.Close()
		if err != nil || len(answer) > 0 && !bytes.Contains(answer, []byte(`"code":"unavailable"`)) {
			t.Errorf("%s: %s %v", packing, answer, err)
		}
		if packing == "identity" {
			continue
		}
		if status, _, text := a.request(http.MethodPost, "/v1/sync", body, map[string]string{"Content-Encoding": packing}); status != http.StatusBadRequest || !strings.Contains(text, "malformed") {
			t.Errorf("%s, whole: %d %s", packing, status, text)
		}
	}
	// A frame whose window is large costs what its bytes do.
	var packed bytes.Buffer
	w, _ := zstd.NewWriter(&packed, zstd.WithWindowSize(16<<20))
	w.Write([]byte(`{"streams":[]}`))
	w.Close()
	if status, _, text := a.request(http.MethodPost, "/v1/sync", packed.Bytes(), map[string]string{"Content-Encoding": "zstd"}); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
}

// Who guesses tokens is slow, and costs those who have one nothing (S15).
func TestWhoGuessesIsSlow(t *testing.T) {
	now := time.Now()
	a := newAPI(t, func(c *server.Config) {
		c.Auth = roles{"one": {server.Read: true}}
		c.Now = func() time.Time { return now }
	})
	counts := map[int]int{}
	for i := range 300 {
		a.token = fmt.Sprint("guess", i)
		status, _, _ := a.request(http.MethodGet, "/v1/log?stream=s", nil, nil)
		counts[status]++
	}
	if counts[401] != 200 || counts[429] != 100 {
		t.Errorf("%v", counts)
	}
	a.token = "one"
	if status, _, body := a.request(http.MethodGet, "/v1/log?stream=s", nil, nil); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// Every route asks for its right, of everybody: a matrix of roles, routes, and streams that are one's own, foreign and absent. A route that is added has to be in it.
func TestEveryRouteAsksForItsRight(t *testing.T) {
	all := map[server.Right]bool{server.Read: true, server.Append: true, server.Delete: true, server.List: true}
	who := matrix{"admin": all, "reader": {server.Read: true}, "writer": {server.Append: true, server.Read: true}, "appender": {server.Append: true}, "deleter": {server.Delete: true}, "nobody": {}}
	a := newAPI(t, func(c *server.Config) { c.Auth = who })
	routes := []struct {
		method, path, body string
		right              server.Right
		kind               string
	}{
		{"POST", "/v1/sync", `{"streams":[{"stream":"NAME","client":"` + clientID(2) + `","after":0}]}`, server.Read, "application/json"},
		{"GET", "/v1/log?stream=NAME", "", server.Read, ""},
		{"GET", "/v1/checkpoint?stream=NAME&epoch=" + clientID(1) + "&index=1", "", server.Read, ""},
		{"GET", "/v1/history?stream=NAME&object=" + objectID(1), "", server.Read, ""},
		{"POST", "/v1/events", `{"streams":["NAME"]}`, server.Read, "application/json"},
		{"GET", "/v1/events?stream=NAME", "", server.Read, ""},
		{"GET", "/v1/streams", "", server.List, ""},
		{"PUT", "/v1/data/NAME", "", server.Append, "text/plain"},
		{"POST", "/v1/data/NAME", "x", server.Append, "text/plain"},
		{"GET", "/v1/data/NAME", "", server.Read, ""},
		{"HEAD", "/v1/data/NAME", "", server.Read, ""},
		{"DELETE", "/v1/data/NAME", "", server.Delete, ""},
		{"DELETE", "/v1/log?stream=NAME", "", server.Delete, ""},
	}
	known := map[string]bool{}
	for _, r := range routes {
		path, _, _ := strings.Cut(r.path, "?")
		known[r.method+" "+strings.TrimSuffix(path, "NAME")] = true
	}
	for _, route := range server.Routes() {
		if !known[route] {
			t.Errorf("%s is not in the matrix", route)
		}
	}
	for _, token := range []string{"admin", "reader", "writer", "appender", "deleter", "nobody", ""} {
		for _, name := range []string{"own/here", "own/absent", "foreign/here", "foreign/absent"} {
			for _, r := range routes {
				a.token = "admin" // what is there
				for _, stream := range []string{"own/here", "foreign/here"} {
					a.request("PUT", "/v1/data/"+stream, nil, map[string]string{"Content-Type": "text/plain"})
					a.sync(`{"streams":[{"stream":"` + stream + `","client":"` + clientID(1) + `","after":0,"actions":[` + actionOf(1, 1, 0, creates(1)) + `]}]}`)
				}
				a.token = token
				may := token != "" && who[token][r.right] && (strings.HasPrefix(name, "own/") || token == "admin")
				req, _ := http.NewRequest(r.method, a.url+strings.ReplaceAll(r.path, "NAME", name), strings.NewReader(strings.ReplaceAll(r.body, "NAME", name)))
				req.Header.Set("Content-Type", r.kind)
				if token != "" {
					req.Header.Set("Authorization", "Bearer "+token)
				}
				resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				text := make([]byte, 4096)
				n, _ := resp.Body.Read(text) // of events, the first
				resp.Body.Close()
				body := string(text[:n])
				refused := resp.StatusCode == http.StatusForbidden || strings.Contains(body, `"code":"forbidden"`)
				switch {
				case token == "":
					if resp.StatusCode != http.StatusUnauthorized {
						t.Errorf("nobody: %s %s: %d %s", r.method, r.path, resp.StatusCode, body)
					}
				case r.path == "/v1/streams": // a list of what one may list, which may be empty
					if resp.StatusCode != http.StatusOK || strings.Contains(body, `foreign/`) != (token == "admin") || strings.Contains(body, "own/") && !may {
						t.Errorf("%s: %s %s: %d %s", token, r.method, r.path, resp.StatusCode, body)
					}
				case strings.HasPrefix(r.path, "/v1/checkpoint"): // a checkpoint that is not there is refused, too
					if !refused {
						t.Errorf("%s: %s %s of %s: %d %s", token, r.method, r.path, name, resp.StatusCode, body)
					}
				default:
					if refused == may {
						t.Errorf("%s: %s %s of %s: %d %s", token, r.method, r.path, name, resp.StatusCode, body)
					}
				}
			}
		}
	}
}

// matrix gives each token its rights to what is its own; admin's go everywhere.
type matrix map[string]map[server.Right]bool

func (m matrix) Authenticate(r *http.Request) (server.Principal, error) {
	return roles(m).Authenticate(r)
}

func (m matrix) Allow(p server.Principal, stream string, right server.Right) bool {
	return m[p.Subject][right] && (p.Subject == "admin" || strings.HasPrefix(stream, "own/"))
}
