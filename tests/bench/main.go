// Command bench measures the runtime in headless Chromium against hand-written raw IndexedDB (one row per object) in the
// same run, warmed up and interleaved, and prints medians and ratios. Build first: make bench does.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed bench.js
var script string

func main() {
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
	server := exec.Command("bin/strandline", "serve", "--addr", "127.0.0.1:0", "--data", filepath.Join(tmp, "data"), "--static", www)
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		server.Process.Signal(syscall.SIGTERM)
		server.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return err
	}
	url := strings.TrimSpace(strings.TrimPrefix(line, "strandline: "))
	for round := range 3 {
		if err := fill(url, fmt.Sprintf("turn/%d", round)); err != nil {
			return err
		}
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.UserDataDir(filepath.Join(tmp, "profile")))...)
	defer cancel()
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	defer cancel()
	if err := chromedp.Run(ctx); err != nil {
		return err
	}
	ctx, cancel = context.WithTimeout(ctx, 8*time.Minute)
	defer cancel()
	var text string
	if err := chromedp.Run(ctx, chromedp.Navigate(url), chromedp.Evaluate("bench().then(JSON.stringify, (e) => JSON.stringify({error: e.stack}))", &text,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })); err != nil {
		return err
	}
	var result struct {
		Error string
		Rows  []struct {
			What      string
			Ours, Raw float64
			Unit      string
		}
		Longest float64
	}
	if err := json.Unmarshal([]byte(text), &result); err != nil || result.Error != "" {
		return fmt.Errorf("%v %s", err, result.Error)
	}
	fmt.Printf("%-52s %12s %12s %8s\n", "what (medians)", "strandline", "raw", "ratio")
	for _, r := range result.Rows {
		fmt.Printf("%-52s %9.3f %s %9.3f %s %8.3f\n", r.What, r.Ours, r.Unit, r.Raw, r.Unit, r.Ours/r.Raw)
	}
	fmt.Printf("longest task while 10,000 entries came in: %.0f ms\n", result.Longest)
	return nil
}

// fill appends 10,000 creates of another client to a stream.
func fill(url, stream string) error {
	client, head := "00000000-0000-4000-8000-00000000000b", struct {
		Epoch, Chain string
		Head         int
	}{}
	for batch := range 20 {
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
