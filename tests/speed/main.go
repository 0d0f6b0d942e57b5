// Command speed measures the server beside bare handlers, in one run: what it adds to what the engine and net/http cost anyway. It prints a table.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/strandline-sync/strandline/client"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/memory"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

func main() {
	for _, part := range []struct {
		name string
		run  func() error
	}{{"appends", appends}, {"events", events}, {"folds", folds}, {"list", list}, {"first state", firstState}, {"rebuild", rebuild}} {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], part.name) {
			continue
		}
		if err := part.run(); err != nil {
			fmt.Fprintf(os.Stderr, "speed: %s: %v\n", part.name, err)
			os.Exit(1)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func opened() (*sqlite.Engine, func(), error) {
	dir, err := os.MkdirTemp("", "strandline-speed-")
	if err != nil {
		return nil, nil, err
	}
	e, err := sqlite.Open(dir)
	return e, func() { e.Close(); os.RemoveAll(dir) }, err
}

// uuid makes an id out of numbers.
func uuid(kind byte, a, b int) string {
	return fmt.Sprintf("%02x%06x-0000-4000-8000-%012x", kind, a, b)
}

// appends: a bare handler reads the body and calls the engine; the server does all that it does. They take turns, in short rounds.
func appends() error {
	for _, over := range ways {
		if err := appendsOver(over); err != nil {
			return err
		}
	}
	return nil
}

// way is how requests come: the goals are for the first one.
type way string

const (
	plain way = "HTTP/1.1"
	tls1  way = "TLS"
	tls2  way = "HTTP/2"
)

var ways = []way{plain, tls1, tls2}

// serve has a handler be asked that way.
func (over way) serve(h http.Handler, most int) (*httptest.Server, *http.Client) {
	web := httptest.NewUnstartedServer(h)
	web.EnableHTTP2 = over == tls2
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	if over == plain {
		web.Start()
	} else {
		web.StartTLS()
	}
	transport := web.Client().Transport.(*http.Transport)
	transport.MaxIdleConnsPerHost = most
	return web, web.Client()
}

func appendsOver(over way) error {
	for _, writers := range []int{1, 64} {
		var bare, ours []float64
		for range 5 {
			e, done, err := opened()
			if err != nil {
				return err
			}
			n, err := load(over, writers, bareHandler(e), func(w, i int, chain string) (string, string) {
				return fmt.Sprintf("/%d/%d", w, i), act(w, i)
			}, nil)
			done()
			if err != nil {
				return err
			}
			bare = append(bare, n)
			if e, done, err = opened(); err != nil {
				return err
			}
			s := server.New(server.Config{Engine: e, Auth: server.None(), Log: quiet(), Rate: 1e9})
			n, err = load(over, writers, s, func(w, i int, at string) (string, string) {
				return "/v1/sync", `{"streams":[{"stream":"s` + fmt.Sprint(w) + `","client":"` + uuid(1, w, 0) + `",` + at + `,"actions":[` + act(w, i) + `]}]}`
			}, follow)
			s.Close()
			done()
			if err != nil {
				return err
			}
			ours = append(ours, n)
		}
		slices.Sort(bare)
		slices.Sort(ours)
		fmt.Printf("appends, %2d writers, %-8s  bare handler %6.0f/s, server %6.0f/s, ratio %.2f\n", writers, over, bare[2], ours[2], ours[2]/bare[2])
	}
	return nil
}

func act(w, i int) string {
	return fmt.Sprintf(`{"base":0,"client":"%s","id":"%s","ops":[{"fields":{"text":"%s"},"object":"%s","op":"create","type":"note"}],"seq":%d}`,
		uuid(1, w, 0), uuid(2, w, i), strings.Repeat("x", 60), uuid(3, w, i), i+1)
}

func bareHandler(e engine.Engine) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var writer, i int
		fmt.Sscanf(r.URL.Path, "/%d/%d", &writer, &i)
		if err == nil {
			err = e.Append(r.Context(), fmt.Sprint("s", writer), action.UUID{byte(writer), 1}, uint64(i), []engine.Entry{{Stored: 1, Chain: action.Chain(i), Raw: string(body)}})
		}
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		fmt.Fprintf(w, `{"head":%d}`, i+1)
	})
}

// follow takes where the log is now out of an answer.
func follow(answer string) string {
	field := func(name string) string {
		_, rest, _ := strings.Cut(answer, `"`+name+`":`)
		rest = strings.TrimPrefix(rest, `"`)
		if end := strings.IndexAny(rest, `",}`); end >= 0 {
			rest = rest[:end]
		}
		return rest
	}
	return fmt.Sprintf(`"after":%s,"epoch":"%s","chain":"%s"`, field("head"), field("epoch"), field("chain"))
}

// load has writers append for two seconds, and gives how many appends a second there were.
func load(over way, writers int, h http.Handler, request func(w, i int, at string) (path, body string), follow func(string) string) (float64, error) {
	web, asks := over.serve(h, writers)
	defer web.Close()
	defer asks.CloseIdleConnections()
	const warm, long = 500 * time.Millisecond, 2 * time.Second
	var count atomic.Int64
	var failed atomic.Pointer[error]
	began := time.Now()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			at := `"after":0`
			for i := 0; time.Since(began) < warm+long; i++ {
				path, body := request(w, i, at)
				resp, err := asks.Post(web.URL+path, "application/json", strings.NewReader(body))
				if err != nil {
					failed.Store(&err)
					return
				}
				answer, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || resp.StatusCode != 200 || follow != nil && !strings.Contains(string(answer), `"persisted"`) {
					err = fmt.Errorf("%d %s %v", resp.StatusCode, answer, err)
					failed.Store(&err)
					return
				}
				if follow != nil {
					at = follow(string(answer))
				}
				if time.Since(began) > warm {
					count.Add(1)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(count.Load()) / long.Seconds(), nil
}

// sse is a ten-line handler of server-sent events: what is measured against.
type sse struct {
	mu   sync.Mutex
	news chan struct{}
}

func (s *sse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for n := 0; ; n++ {
		s.mu.Lock()
		news := s.news
		s.mu.Unlock()
		fmt.Fprintf(w, "event: head\ndata: {\"head\":%d,\"stream\":\"s\"}\n\n", n)
		w.(http.Flusher).Flush()
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}

func (s *sse) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.news)
	s.news = make(chan struct{})
}

// events: 2,000 readers of one stream, their memory while nothing happens, and when each hears of an append.
func events() error {
	for _, over := range ways {
		if err := eventsOver(over); err != nil {
			return err
		}
	}
	return nil
}

func eventsOver(over way) error {
	bare := &sse{news: make(chan struct{})}
	memBare, p99Bare, err := readers(over, bare, "/", bare.tell)
	if err != nil {
		return err
	}
	s := server.New(server.Config{Engine: memory.New(), Auth: server.None(), Log: quiet()})
	defer s.Close()
	n := 0
	memOurs, p99Ours, err := readers(over, s, "/v1/events?stream=s", func() {
		n++
		if _, err := s.Append(context.Background(), server.Write{Stream: "s", Writer: "w", Ops: `{"op":"create","object":"` + uuid(3, 0, n) + `","type":"t","fields":{}}`}); err != nil {
			panic(err)
		}
	})
	if err != nil {
		return err
	}
	fmt.Printf("2,000 idle readers, %-8s  ten-line handler %.1f KiB each, /v1/events %.1f KiB each, %+.1f KiB\n", over, memBare, memOurs, memOurs-memBare)
	fmt.Printf("wake-up of 2,000, %-8s    ten-line handler p99 %.1f ms, /v1/events p99 %.1f ms, ratio %.2f\n", over, p99Bare, p99Ours, p99Ours/p99Bare)
	return nil
}

func live() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

func readers(over way, h http.Handler, path string, tell func()) (kib, p99 float64, err error) {
	const many = 2000
	web, asks := over.serve(h, many)
	defer web.Close()
	addr := web.Listener.Addr().String()
	before := live()
	conns := make([]io.Reader, many)
	for i := range conns {
		if over == tls2 { // each is a stream of some connection
			resp, err := asks.Get(web.URL + path)
			if err != nil {
				return 0, 0, err
			}
			defer resp.Body.Close()
			conns[i] = resp.Body
			continue
		}
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return 0, 0, err
		}
		if over == tls1 {
			c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		defer c.Close()
		conns[i] = c
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n\r\n", path)
	}
	buffer := make([]byte, 4096)
	for _, c := range conns { // until the first event is there
		for text := ""; !strings.Contains(text, "data:"); {
			n, err := c.Read(buffer)
			if err != nil {
				return 0, 0, err
			}
			text += string(buffer[:n])
		}
	}
	time.Sleep(200 * time.Millisecond)
	kib = (live() - before) / many / 1024
	took := make([]float64, 0, many*10)
	var mu sync.Mutex
	for range 10 {
		var all sync.WaitGroup
		ready := make(chan struct{}, many)
		var began atomic.Int64
		for _, c := range conns {
			all.Go(func() {
				lines := bufio.NewReaderSize(c, 512)
				ready <- struct{}{}
				for {
					line, err := lines.ReadString('\n')
					if err != nil {
						return
					}
					if strings.HasPrefix(line, "data:") {
						break
					}
				}
				at := float64(time.Now().UnixNano()-began.Load()) / 1e6
				for lines.Buffered() > 0 { // the rest of the event
					lines.ReadByte()
				}
				mu.Lock()
				took = append(took, at)
				mu.Unlock()
			})
		}
		for range many {
			<-ready
		}
		time.Sleep(50 * time.Millisecond)
		began.Store(time.Now().UnixNano())
		tell()
		all.Wait()
	}
	slices.Sort(took)
	return kib, took[len(took)*99/100], nil
}

// folds: 10,000 streams of one action of 300 bytes, each of them in use.
func folds() error {
	const many = 10_000
	s := server.New(server.Config{Engine: memory.New(), Auth: server.None(), Log: quiet(), IdleStream: time.Hour})
	defer s.Close()
	before := live()
	bare := memory.New()
	for i := range many {
		raw := `[{"op":"create","object":"` + uuid(3, 0, i) + `","type":"note","fields":{"text":"` + strings.Repeat("x", 100) + `"}}]`
		if _, err := s.Append(context.Background(), server.Write{Stream: fmt.Sprint("stream/", i), Writer: "w", Ops: raw}); err != nil {
			return err
		}
	}
	with := live()
	for i := range many { // what the engine takes of it
		if err := bare.Append(context.Background(), fmt.Sprint("stream/", i), action.UUID{1}, 0, []engine.Entry{{By: "w", Raw: strings.Clone(strings.Repeat("y", 300))}}); err != nil {
			return err
		}
	}
	log := live() - with
	fmt.Printf("10,000 streams, folded:   %.1f KiB each, beside %.1f KiB of the log in memory\n", (with-before-log)/many/1024, log/many/1024)
	runtime.KeepAlive(bare)
	return nil
}

// list: pages of the list of 100,000 streams.
func list() error {
	e, done, err := opened()
	if err != nil {
		return err
	}
	defer done()
	var all sync.WaitGroup
	for w := range 50 {
		all.Go(func() {
			for i := range 2000 {
				_ = e.Append(context.Background(), fmt.Sprintf("some/stream/%d/%d", w, i), action.UUID{1}, 0, []engine.Entry{{Raw: "{}"}})
			}
		})
	}
	all.Wait()
	s := server.New(server.Config{Engine: e, Auth: server.None(), Log: quiet()})
	defer s.Close()
	var took []float64
	for range 100 {
		began := time.Now()
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "/v1/streams?after=some/stream/20", nil))
		if w.Code != 200 || !bytes.Contains(w.Body.Bytes(), []byte(`"next"`)) {
			return fmt.Errorf("%d %.100s", w.Code, w.Body)
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	slices.Sort(took)
	fmt.Printf("a page of 1,000 names:    of 100,000 streams, median %.1f ms, p99 %.1f ms\n", took[50], took[98])
	return nil
}

// firstState: a client in Go that has nothing gets a log of 200,000 entries by its checkpoint.
func firstState() error {
	s := server.New(server.Config{Engine: memory.New(), Auth: server.None(), Log: quiet()})
	defer s.Close()
	const entries, objects = 200_000, 50_000
	for i := 0; i < entries; i++ {
		op := `{"op":"create","object":"` + uuid(3, 0, i) + `","type":"todo","fields":{"title":"something to be done","done":false,"n":` + fmt.Sprint(i) + `}}`
		if i >= objects {
			op = `{"op":"update","object":"` + uuid(3, 0, i%objects) + `","set":{"n":` + fmt.Sprint(i) + `}}`
		}
		if _, err := s.Append(context.Background(), server.Write{Stream: "s", Writer: "w", Ops: op}); err != nil {
			return err
		}
	}
	web := httptest.NewServer(s)
	defer web.Close()
	var took []float64
	var first time.Duration
	var at uint64
	for range 5 {
		db, err := client.Open(client.Options{URL: web.URL})
		if err != nil {
			return err
		}
		began := time.Now()
		stream, err := db.Stream(context.Background(), "s")
		if err != nil {
			return err
		}
		if err := stream.Until(context.Background(), func(s *client.Stream) bool { return s.Head() > 10*500 }); err != nil {
			return err
		}
		first, at = time.Since(began), stream.Head()
		if err := stream.Until(context.Background(), func(s *client.Stream) bool { return s.Head() == entries }); err != nil {
			return err
		}
		took = append(took, float64(first.Milliseconds()), float64(time.Since(began).Milliseconds()))
		db.Close()
	}
	fmt.Printf("first state of 200,000:   a client in Go has the checkpoint at %d folded after %.0f ms (best of 5), all after %.0f ms\n", at, least(took, 0), least(took, 1))
	return nil
}

func least(all []float64, odd int) float64 {
	out := all[odd]
	for i := odd; i < len(all); i += 2 {
		out = min(out, all[i])
	}
	return out
}
