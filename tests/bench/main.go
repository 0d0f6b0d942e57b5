// Command bench measures the runtime in headless Chromium beside hand-written IndexedDB, Dexie and Yjs in the same run, warmed up and
// interleaved, and prints medians and ratios. Build first: make bench does.
package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
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
	"github.com/evanw/esbuild/pkg/api"
)

//go:embed bench.js
var script string

var (
	out   = flag.String("out", "", "a file to write the figures to, as Markdown")
	grows = flag.Bool("growth", false, "measure how things grow, and nothing else")
	data  = flag.Bool("data", false, "measure data streams, and nothing else")
	large = flag.Bool("large", false, "up to a million objects")
)

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
	www, err := site(tmp)
	if err != nil {
		return err
	}
	if *grows {
		return growing(tmp, www)
	}
	if *data {
		return dataOnly(tmp, www)
	}
	plain, stopPlain, err := serve(tmp, "plain", www, "--checkpoints", "-1")
	if err != nil {
		return err
	}
	defer stopPlain()
	for round := range 3 {
		if err := fill(plain, fmt.Sprintf("turn/%d", round), 10_000, todo); err != nil {
			return err
		}
	}
	full, stopFull, err := serve(tmp, "full", www)
	if err != nil {
		return err
	}
	defer stopFull()
	for _, url := range []string{plain, full} {
		if err := fill(url, "first", 100_000, todo); err != nil {
			return err
		}
	}
	one, endOne, err := browser(filepath.Join(tmp, "one"))
	if err != nil {
		return err
	}
	defer endOne()
	var text strings.Builder
	w := io.MultiWriter(os.Stdout, &text)
	if err := table(w, one, plain); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n| Sync | |\n|---|---|\n")
	if err := turns(w, one, plain); err != nil {
		return err
	}
	for _, c := range []struct{ what, url string }{{"entries", plain}, {"a checkpoint", full}} {
		var r struct{ Ms, Longest float64 }
		if err := ask(one, c.url, "firstSync()", &r); err != nil {
			return err
		}
		fmt.Fprintf(w, "| first sync of 100,000 objects by %s | %.1f s, longest task %s |\n", c.what, r.Ms/1000, task(r.Longest))
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
		fmt.Fprintf(w, "| from a write to a subscriber in %s | median %.1f ms, 95 %% under %.1f ms |\n", c.what, ms[len(ms)/2], ms[len(ms)*95/100])
	}
	if err := visits(w, tmp, full); err != nil {
		return err
	}
	if *out == "" {
		return nil
	}
	return keep(*out, "figures", text.String())
}

func dataOnly(tmp, www string) error {
	url, stop, err := serve(tmp, "data", www)
	if err != nil {
		return err
	}
	defer stop()
	var text strings.Builder
	if err := dataStreams(io.MultiWriter(os.Stdout, &text), tmp, url); err != nil || *out == "" {
		return err
	}
	return keep(*out, "data", text.String())
}

func growing(tmp, www string) error {
	url, stop, err := serve(tmp, "full", www)
	if err != nil {
		return err
	}
	defer stop()
	var text strings.Builder
	objects := []int{1000, 10_000, 100_000}
	if *large {
		objects = append(objects, 1_000_000)
	}
	if err := growth(io.MultiWriter(os.Stdout, &text), tmp, url, objects, []int{10, 1000, 10_000, 100_000}, []int{1, 20, 200}); err != nil || *out == "" {
		return err
	}
	return keep(*out, "growth", text.String())
}

// keep puts figures between their marks in a document.
func keep(path, which, figures string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+which+" -->\n", "<!-- end of the "+which+" -->\n"
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for figures", path)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+figures+"\n"+end+after), 0o644)
}

// site makes the pages: the package, the measurements, and the contenders.
func site(tmp string) (www string, err error) {
	www = filepath.Join(tmp, "www")
	if err := os.MkdirAll(www, 0o755); err != nil {
		return "", err
	}
	dist, err := filepath.Abs("js/dist")
	if err != nil {
		return "", err
	}
	demo, err := filepath.Abs("web-demo/dist")
	if err != nil {
		return "", err
	}
	for name, target := range map[string]string{"dist": dist, "demo": demo} {
		if err := os.Symlink(target, filepath.Join(www, name)); err != nil {
			return "", err
		}
	}
	r := api.Build(api.BuildOptions{EntryPoints: []string{"tests/bench/contenders/contenders.js"}, Outfile: filepath.Join(www, "contenders.js"),
		Bundle: true, Write: true, MinifySyntax: true, MinifyWhitespace: true, Format: api.FormatESModule, Target: api.ES2022})
	if len(r.Errors) > 0 {
		return "", fmt.Errorf("bundle the contenders: %s", r.Errors[0].Text)
	}
	page := `<!doctype html><link rel="icon" href="data:,"><script type="module">import * as s from "/dist/strandline.js"; window.strandline = s;</script>` +
		`<script type="module" src="/contenders.js"></script><script>` + script + growthScript + dataScript + `</script>`
	return www, os.WriteFile(filepath.Join(www, "index.html"), []byte(page), 0o644)
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

// table prints the medians of every contender, and how ours compares with IndexedDB by hand.
func table(w io.Writer, ctx context.Context, url string) error {
	var result struct {
		Names []string
		Rows  []struct {
			What, Unit, Goal string
			Values           []*float64
		}
	}
	if err := ask(ctx, url, "compare()", &result); err != nil {
		return err
	}
	fmt.Fprintf(w, "| Medians | %s | ours / raw | goal |\n|---|%s\n", strings.Join(result.Names, " | "), strings.Repeat("---|", len(result.Names)+2))
	for _, r := range result.Rows {
		fmt.Fprintf(w, "| %s |", r.What)
		for _, v := range r.Values {
			if v == nil {
				fmt.Fprint(w, " |")
				continue
			}
			fmt.Fprintf(w, " %s %s |", short(*v), r.Unit)
		}
		ratio := ""
		if r.Values[0] != nil && r.Values[1] != nil {
			ratio = short(*r.Values[0] / *r.Values[1])
		}
		fmt.Fprintf(w, " %s | %s |\n", ratio, r.Goal)
	}
	return nil
}

// short writes a figure with two or three digits.
func short(v float64) string {
	switch {
	case v < 0.1:
		return fmt.Sprintf("%.3f", v)
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// task writes the length of the longest task; browsers tell of those of 50 ms and more.
func task(ms float64) string {
	if ms == 0 {
		return "under 50 ms"
	}
	return fmt.Sprintf("%.0f ms", ms)
}

// turns prints what it takes to bring 10,000 entries in under pending actions.
func turns(w io.Writer, ctx context.Context, url string) error {
	var r struct{ Ours, Raw, Open, RawOpen, Longest float64 }
	if err := ask(ctx, url, "turns()", &r); err != nil {
		return err
	}
	fmt.Fprintf(w, "| fetch and commit 10,000 entries under 1,000 pending | %.0f ms, %.2f × fetching and putting them by hand; longest task %s |\n", r.Ours, r.Ours/r.Raw, task(r.Longest))
	fmt.Fprintf(w, "| cold open of a stream whose 11,000 objects are in the log | %.0f ms, %.2f × opening 10,000 rows by hand and reading them |\n", r.Open, r.Open/r.RawOpen)
	return nil
}

// todo is the fields of the n-th object that is measured with.
func todo(n int) string {
	return fmt.Sprintf(`"title":"Something to do, number %d","done":%t,"rank":%d,"list":"list-%d","tags":["a","b"]`, n, n%2 == 0, n%97, n%10)
}

// fill appends creates of another client to a stream, each with the given fields.
func fill(url, stream string, entries int, fields func(n int) string) error {
	client, head := "00000000-0000-4000-8000-00000000000b", struct {
		Epoch, Chain string
		Head         int
	}{}
	for head.Head < entries {
		var actions []string
		until := min(head.Head+500, entries)
		for n := head.Head; n < until; n++ {
			actions = append(actions, fmt.Sprintf(`{"id":"ac710000-0000-7000-8000-%012d","client":"%s","seq":%d,"base":%d,"at":"2026-11-22T20:00:00.000Z","ops":[{"op":"create","object":"0b1ec700-0000-4000-8000-%012d","type":"todo","fields":{%s}}]}`,
				n+1, client, n+1, head.Head, n, fields(n)))
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
		if err != nil || len(answer.Streams) != 1 || answer.Streams[0].Head != until {
			return fmt.Errorf("fill: %v %+v", err, answer)
		}
		head = answer.Streams[0]
	}
	return nil
}
