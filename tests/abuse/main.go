// Command abuse puts loads on a real server that others would put on it, and measures a healthy client beside each: how long its appends take, and how much
// memory the server holds. It prints a table; --bound fails where an append's 99th percentile is over 250 ms, or memory over 512 MiB.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var (
	program = flag.String("program", "bin/strandline", "the program")
	seconds = flag.Int("seconds", 10, "for how long each load goes on")
	only    = flag.String("only", "", "the loads whose names begin so")
	child   = flag.String("child", "", "be the load of this name, against the server of the URL behind it")
	bound   = flag.Bool("bound", false, "fail where a bound is not kept")
)

// server is a process of the program.
type server struct {
	cmd *exec.Cmd
	url string
	dir string
}

func start() (*server, error) {
	dir, err := os.MkdirTemp("", "abuse")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, cmd: exec.Command(*program, "serve", "--addr", "127.0.0.1:0", "--data", dir)}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = io.Discard
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	s.url = strings.TrimSpace(strings.TrimPrefix(line, "strandline: "))
	return s, err
}

func (s *server) stop() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
	os.RemoveAll(s.dir)
}

// rss is the process's memory in MiB: now, and at most.
func (s *server) rss() (now, most int) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.SplitSeq(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.Atoi(f[1])
		switch f[0] {
		case "VmRSS:":
			now = n >> 10
		case "VmHWM:":
			most = n >> 10
		}
	}
	return now, most
}

// writer appends to a stream of its own.
type writer struct {
	client *http.Client
	url    string
	stream string
	id     string
	seq    int
	head   int
	at     string // epoch and chain, where there are some
}

var clients atomic.Int64

func newWriter(url, stream string) *writer {
	return &writer{client: &http.Client{Transport: &http.Transport{}, Timeout: 2 * time.Minute}, url: url, stream: stream, id: fmt.Sprintf("00000000-0000-4000-8000-%012d", clients.Add(1))}
}

// append sends actions, each of which is an array of ops; and goes on from the answer.
func (w *writer) append(ctx context.Context, ops ...string) error {
	var all []string
	for i, op := range ops {
		all = append(all, fmt.Sprintf(`{"at":"2026-11-22T20:00:00.000Z","base":0,"client":"%s","id":"%s%06x","ops":%s,"seq":%d}`, w.id, w.id[:30], w.seq+i+1, op, w.seq+i+1))
	}
	body := fmt.Sprintf(`{"streams":[{"stream":"%s","client":"%s","after":%d%s,"actions":[%s]}]}`, w.stream, w.id, w.head, w.at, strings.Join(all, ","))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/v1/sync", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %.200s", resp.StatusCode, text)
	}
	field := func(name string) string {
		_, rest, _ := strings.Cut(string(text), `"`+name+`":`)
		rest = strings.TrimPrefix(rest, `"`)
		return rest[:max(0, strings.IndexAny(rest, `",}`))]
	}
	entries, persisted := strings.Count(string(text), `"stored":`), strings.Count(string(text), `{"id":"`+w.id[:30])
	if strings.Contains(string(text), `"error":{`) {
		return fmt.Errorf("%.300s", text)
	}
	w.head += entries + persisted
	w.seq += persisted
	if field("epoch") != "" && field("chain") != "" {
		w.at = fmt.Sprintf(`,"epoch":"%s","chain":"%s"`, field("epoch"), field("chain"))
	}
	if persisted == 0 {
		return fmt.Errorf("%.300s", text)
	}
	return nil
}

func object(n int) string { return fmt.Sprintf("00000000-0000-4000-9000-%012d", n) }

func create(n int, fields string) string {
	return fmt.Sprintf(`[{"op":"create","object":"%s","type":"t","fields":%s}]`, object(n), fields)
}

// times are those of a healthy client.
type times struct {
	mu     sync.Mutex
	took   []time.Duration
	failed int
	last   error
}

func (t *times) healthy(ctx context.Context, url string, every time.Duration) {
	w := newWriter(url, "healthy/"+fmt.Sprint(clients.Add(1)))
	for n := 0; ctx.Err() == nil; n++ {
		began := time.Now()
		err := w.append(context.Background(), create(n, `{"title":"x"}`))
		t.mu.Lock()
		if err != nil {
			t.failed++
			t.last = err
		} else {
			t.took = append(t.took, time.Since(began))
		}
		t.mu.Unlock()
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
}

func (t *times) at(q float64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.took) == 0 {
		return time.Hour
	}
	slices.Sort(t.took)
	return t.took[min(len(t.took)-1, int(q*float64(len(t.took))))]
}

func main() {
	flag.Parse()
	if *child != "" {
		be(*child, flag.Arg(0))
		return
	}
	kept := true
	fmt.Printf("%-44s %9s %9s %9s %7s %8s %8s\n", "beside", "p50", "p99", "most", "failed", "MiB", "MiB most")
	for _, l := range loads {
		if strings.HasPrefix(l.name, *only) {
			kept = measure(l.name, []load{l}, 250*time.Millisecond) && kept
		}
	}
	if everything := "all of them at once"; strings.HasPrefix(everything, *only) {
		kept = measure(everything, loads[1:], time.Hour) && kept
	}
	if *bound && !kept {
		os.Exit(1)
	}
}

// measure measures a healthy client beside some loads, and tells whether what is bound was kept.
func measure(name string, beside []load, limit time.Duration) bool {
	s, err := start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer s.stop()
	var begin []io.Writer // all of them, once all are prepared
	for _, l := range beside {
		other := exec.Command("nice", "-n", "19", os.Args[0], "-child", l.name, s.url)
		other.Stderr = os.Stderr
		said, err := other.StdoutPipe()
		var hears io.WriteCloser
		if err == nil {
			hears, err = other.StdinPipe()
		}
		if err == nil {
			err = other.Start()
		}
		if err == nil {
			defer func() {
				other.Process.Kill()
				other.Wait()
			}()
			_, err = bufio.NewReader(said).ReadString('\n')
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, l.name, err)
			return false
		}
		begin = append(begin, hears)
	}
	for _, w := range begin {
		fmt.Fprintln(w)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var t times
	var all sync.WaitGroup
	time.Sleep(time.Second)
	for range 3 { // three of them, an append in a third of a second each: what one would see in three times the time
		all.Go(func() { t.healthy(ctx, s.url, time.Second/3) })
	}
	time.Sleep(time.Duration(*seconds) * time.Second)
	now, most := s.rss()
	cancel()
	all.Wait()
	p99 := t.at(0.99)
	fmt.Printf("%-44s %9v %9v %9v %7d %8d %8d\n", name, t.at(0.5).Round(100*time.Microsecond), p99.Round(100*time.Microsecond), t.at(1).Round(100*time.Microsecond), t.failed, now, most)
	if t.failed > 0 {
		fmt.Println("   ", t.last)
	}
	return p99 <= limit && most <= 512 && t.failed == 0
}

// be puts a load on a server, until it is ended.
func be(name, url string) {
	for _, l := range loads {
		if l.name != name {
			continue
		}
		s := &server{url: url}
		clients.Store(int64(os.Getpid()) << 16)
		if err := l.prepare(s); err != nil {
			fmt.Fprintln(os.Stderr, name, err)
			os.Exit(1)
		}
		fmt.Println("ready")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			os.Exit(1)
		}
		for range l.connections {
			go l.run(context.Background(), s)
		}
		select {}
	}
}

// raw opens a connection, sends a request's head and some of its body, and holds it.
func raw(ctx context.Context, url, head string, body []byte) {
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if _, err := c.Write(append([]byte(head), body...)); err == nil {
		io.Copy(io.Discard, c)
	}
}

// post sends a request, and reads its answer.
func post(ctx context.Context, client *http.Client, url, kind, packing string, body []byte) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Type", kind)
	if packing != "" {
		req.Header.Set("Content-Encoding", packing)
	}
	resp, err := client.Do(req)
	if err != nil {
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}
