// Command bench measures the runtime in headless Chromium against hand-written raw IndexedDB (one row per object) in the
// same run, warmed up and interleaved, and prints medians and ratios. Build first: make bench does.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed bench.js
var script string

var withTable = flag.Bool("table", true, "measure the table of rows, and not only first syncs and latencies")

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	tmp, err := os.MkdirTemp("", "strandline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	www := filepath.Join(tmp, "www")
	if err := os.MkdirAll(www, 0o755); err != nil {
		return err
	}
	dist, err := filepath.Abs("js/dist")
	if err != nil {
		return err
	}
	if err := os.Symlink(dist, filepath.Join(www, "dist")); err != nil {
		return err
	}
	page := `<!doctype html><link rel="icon" href="data:,"><script type="module">import * as s from "/dist/strandline.js"; window.strandline = s;</script><script>` + script + `</script>`
	if err := os.WriteFile(filepath.Join(www, "index.html"), []byte(page), 0o644); err != nil {
		return err
	}
	plain, stopPlain, err := serve(tmp, "plain", www, "--checkpoints", "-1")
	if err != nil {
		return err
	}
	defer stopPlain()
	for round := range 3 {
		if err := fill(plain, fmt.Sprintf("turn/%d", round), 10_000); err != nil {
			return err
		}
	}
	full, stopFull, err := serve(tmp, "full", www)
	if err != nil {
		return err
	}
	defer stopFull()
	for _, url := range []string{plain, full} {
		if err := fill(url, "first", 100_000); err != nil {
			return err
		}
	}
	one, endOne, err := browser(filepath.Join(tmp, "one"))
	if err != nil {
		return err
	}
	defer endOne()
	if *withTable {
		if err := table(one, plain); err != nil {
			return err
		}
	}
	for _, c := range []struct{ what, url string }{{"entries", plain}, {"a checkpoint", full}} {
		var r struct{ Ms, Longest, Head, Count float64 }
		if err := ask(one, c.url, "firstSync()", &r); err != nil {
			return err
		}
		fmt.Printf("first sync of 100,000 entries by %s: %.0f ms, longest task %.0f ms (%.0f objects)\n", c.what, r.Ms, r.Longest, r.Count)
	}
	two, endTwo, err := browser(filepath.Join(tmp, "two"))
	if err != nil {
		return err
	}
	defer endTwo()
	tab, endTab := chromedp.NewContext(one)
	defer endTab()
	for _, c := range []struct {
		what   string
		reader context.Context
	}{{"another tab", tab}, {"another browser, by push", two}} {
		var ignored bool
		if err := ask(c.reader, full, "listenTo()", &ignored); err != nil {
			return err
		}
		if err := ask(one, full, "writeTo()", &ignored); err != nil {
			return err
		}
		var ms []float64
		if err := evaluate(c.reader, "heard()", &ms); err != nil {
			return err
		}
		slices.Sort(ms)
		fmt.Printf("from a write to a subscriber in %s: median %.1f ms, 95 %% under %.1f ms, of %d\n", c.what, ms[len(ms)/2], ms[len(ms)*95/100], len(ms))
	}
	return nil
}

// serve runs a server over a fresh directory.
func serve(tmp, name, www string, args ...string) (url string, stop func(), err error) {
	server := exec.Command("bin/strandline", append([]string{"serve", "--addr", "127.0.0.1:0", "--data", filepath.Join(tmp, "data-"+name), "--static", www}, args...)...)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		server.Process.Signal(syscall.SIGTERM)
		server.Wait()
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, err
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "strandline: ")), stop, nil
}

// browser starts a Chromium with a profile of its own.
func browser(profile string) (context.Context, func(), error) {
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.UserDataDir(profile))...)
	ctx, end := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	stop := func() { end(); cancel() }
	if err := chromedp.Run(ctx); err != nil {
		stop()
		return nil, nil, err
	}
	return ctx, stop, nil
}

// limit ends a measurement that hangs.
const limit = 8 * time.Minute

// ask runs a function of bench.js in a fresh page of a server.
func ask(ctx context.Context, url, call string, result any) error {
	if err := chromedp.Run(ctx, chromedp.Navigate(url)); err != nil {
		return err
	}
	return evaluate(ctx, call, result)
}

func evaluate(ctx context.Context, call string, result any) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var text string
	if err := chromedp.Run(ctx, chromedp.Evaluate("ready().then(() => "+call+").then((value) => JSON.stringify({value}), (e) => JSON.stringify({error: String(e.stack)}))", &text,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })); err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	var answer struct {
		Error string
		Value json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Error != "" {
		return fmt.Errorf("%s: %v %s", call, err, answer.Error)
	}
	return json.Unmarshal(answer.Value, result)
}

// table prints the medians of what stands beside raw IndexedDB.
func table(ctx context.Context, url string) error {
	var result struct {
		Rows []struct {
			What      string
			Ours, Raw float64
			Unit      string
		}
		Longest float64
	}
	if err := ask(ctx, url, "bench()", &result); err != nil {
		return err
	}
	fmt.Printf("%-52s %12s %12s %8s\n", "what (medians)", "strandline", "raw", "ratio")
	for _, r := range result.Rows {
		fmt.Printf("%-52s %9.3f %s %9.3f %s %8.3f\n", r.What, r.Ours, r.Unit, r.Raw, r.Unit, r.Ours/r.Raw)
	}
	fmt.Printf("longest task while 10,000 entries came in: %.0f ms\n", result.Longest)
	return nil
}

// fill appends creates of another client to a stream.
func fill(url, stream string, entries int) error {
	client, head := "00000000-0000-4000-8000-00000000000b", struct {
		Epoch, Chain string
		Head         int
	}{}
	for batch := range entries / 500 {
		var actions []string
		for i := range 500 {
			n := batch*500 + i
			actions = append(actions, fmt.Sprintf(`{"id":"ac710000-0000-7000-8000-%012d","client":"%s","seq":%d,"base":%d,"at":"2026-11-22T20:00:00.000Z","ops":[{"op":"create","object":"0b1ec700-0000-4000-8000-%012d","type":"todo","fields":{"title":"Something to do, number %d","done":%t,"rank":%d,"list":"list-%d","tags":["a","b"]}}]}`,
				n+1, client, n+1, head.Head, n, n, n%2 == 0, n%97, n%10))
		}
		at := `"after":0`
		if head.Head > 0 {
			at = fmt.Sprintf(`"after":%d,"epoch":"%s","chain":"%s"`, head.Head, head.Epoch, head.Chain)
		}
		body := fmt.Sprintf(`{"streams":[{"stream":"%s","client":"%s",%s,"actions":[%s]}]}`, stream, client, at, strings.Join(actions, ","))
		resp, err := http.Post(url+"/v1/sync", "application/json", bytes.NewReader([]byte(body)))
		if err != nil {
			return err
		}
		var answer struct {
			Streams []struct {
				Epoch, Chain string
				Head         int
			}
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil || len(answer.Streams) != 1 || answer.Streams[0].Head != (batch+1)*500 {
			return fmt.Errorf("fill: %v %+v", err, answer)
		}
		head = answer.Streams[0]
	}
	return nil
}
