package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/engine"
	"github.com/strandline-sync/strandline/tests/patience"
)

// evalLimit bounds every evaluation, in time of this machine: a page that hangs fails its test.
const evalLimit = 2 * patience.Still

// browser is one with a profile of its own: Chromium, by its protocol, or another engine (ENGINE), by pages that call home.
type browser struct {
	t       *testing.T
	profile string
	ctx     context.Context
	cancel  func()
	process *os.Process
	other   *engine.Browser // of another engine
}

// openBrowser starts one over a profile directory, which may have been used before.
func openBrowser(t *testing.T, profile string) *browser {
	t.Helper()
	b := &browser{t: t, profile: profile}
	if engine.Name() != engine.Chromium {
		b.startOther()
		return b
	}
	var cmd *exec.Cmd
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.UserDataDir(profile), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		// Tabs in the background run as those in front: what is measured here is not a scheduler's policy.
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.WSURLReadTimeout(time.Hour), // it starts, or ends: patience is the test's
		chromedp.ModifyCmdFunc(func(c *exec.Cmd) {
			c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			cmd = c
		}))
	if path := os.Getenv("CHROME"); path != "" {
		opts = append(opts, chromedp.ExecPath(path))
	}
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc, chromedp.WithErrorf(func(string, ...any) {}))
	b.ctx = ctx
	b.cancel = func() { cancel(); cancelAlloc() }
	started := make(chan error, 1)
	go func() { started <- chromedp.Run(ctx) }() // the first Run owns the browser: no deadline here
	if err := patience.Receive(t, "Chromium to start", started); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	b.process = cmd.Process
	t.Cleanup(b.kill)
	return b
}

// kill ends the whole browser at once, as kill -9 does.
func (b *browser) kill() {
	if b.other != nil {
		b.other.Kill()
		return
	}
	if b.process == nil {
		return
	}
	syscall.Kill(-b.process.Pid, syscall.SIGKILL)
	b.process = nil
	b.cancel()
}

// tab is one page.
type tab struct {
	t       *testing.T
	ctx     context.Context
	console *[]string
	other   *engine.Page // of another engine
}

// open opens a page in a new tab.
func (b *browser) open(url string) *tab {
	b.t.Helper()
	if b.other != nil {
		return b.openOther(url)
	}
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.t.Cleanup(func() {
		if b.process != nil {
			cancel()
		}
	})
	tb := &tab{t: b.t, ctx: ctx, console: new([]string)}
	chromedp.ListenTarget(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *runtime.EventExceptionThrown:
			*tb.console = append(*tb.console, "exception: "+ev.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if ev.Type == runtime.APITypeError || ev.Type == runtime.APITypeWarning {
				var parts []string
				for _, a := range ev.Args {
					parts = append(parts, string(a.Value)+a.Description)
				}
				*tb.console = append(*tb.console, strings.Join(parts, " "))
			}
		}
	})
	if err := chromedp.Run(ctx, network.Enable()); err != nil {
		b.t.Fatalf("open a tab: %v", err)
	}
	tb.goTo(url)
	return tb
}

func (tb *tab) run(what string, actions ...chromedp.Action) {
	tb.t.Helper()
	if tb.other != nil && what == "front" { // each page has a window of its own
		return
	}
	if tb.other != nil {
		tb.t.Skipf("cannot in %s: %s, which asks for Chromium's protocol", engine.Name(), what)
	}
	ctx, cancel := patience.Context(tb.ctx, evalLimit)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		tb.t.Fatalf("%s: %v (%v)\nconsole: %s", what, err, context.Cause(ctx), strings.Join(*tb.console, "\n"))
	}
}

func (tb *tab) goTo(url string) {
	tb.t.Helper()
	if tb.other != nil {
		if !strings.HasPrefix(url, "http") {
			tb.cannot("leave for " + url + " and come back")
		}
		tb.byItself("open "+url, func(ctx context.Context) error { return tb.other.Goto(ctx, url) })
		tb.loaded()
		return
	}
	tb.run("open "+url, chromedp.Navigate(url))
}

func (tb *tab) reload() {
	tb.t.Helper()
	if tb.other != nil {
		tb.byItself("reload", tb.other.Reload)
		tb.loaded()
		return
	}
	tb.run("reload", chromedp.Reload())
}

// do runs the body of an async function and gives what it returns, as JSON.
func (tb *tab) do(body string, args ...any) string {
	tb.t.Helper()
	got, err := tb.try(body, args...)
	if err != nil {
		tb.t.Fatalf("evaluate: %v\nconsole: %s", err, strings.Join(*tb.console, "\n"))
	}
	return got
}

// try is do, but a page that could not be asked, because it is about to be another one, is an error.
func (tb *tab) try(body string, args ...any) (string, error) {
	tb.t.Helper()
	var out string
	code := "(async () => { try { return JSON.stringify({ok: await (async () => {" + fmt.Sprintf(body, args...) +
		"})(), differing: globalThis.unchecked ? null : globalThis.s?.differing?.()}) } catch (e) { return JSON.stringify({error: String(e) + ' ' + (e.stack ?? '') + ' ' + JSON.stringify(e)}) } })()"
	ctx, cancel := patience.Context(tb.ctx, evalLimit)
	defer cancel()
	if tb.other != nil {
		text, err := tb.other.Eval(ctx, "return await "+code)
		if err == nil {
			err = json.Unmarshal([]byte(text), &out)
		}
		if err != nil {
			return "", fmt.Errorf("%w (%v): %s", err, context.Cause(ctx), body)
		}
	} else if err := chromedp.Run(ctx, chromedp.Evaluate(code, &out, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) })); err != nil {
		return "", fmt.Errorf("%w (%v): %s\n%s", err, context.Cause(ctx), body, tb.stuck())
	}
	var r struct {
		OK        json.RawMessage
		Differing []string // rows of the page's table that are others in the program
		Error     string
	}
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		tb.t.Fatalf("%v: %s", err, out)
	}
	if r.Error != "" {
		tb.t.Fatalf("%s\n%s\nconsole: %s", body, r.Error, strings.Join(*tb.console, "\n"))
	}
	if len(r.Differing) > 0 {
		tb.t.Fatalf("%s\nthe rows of the page are others than the program's: %v", body, r.Differing)
	}
	if r.OK == nil {
		return "undefined", nil
	}
	return string(r.OK), nil
}

// stuck tells how far a page has come that did not answer.
func (tb *tab) stuck() (out string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.ctx), 5*time.Second)
	defer cancel()
	const code = `JSON.stringify([window.starting ?? "not starting", document.visibilityState, window.db && window.db.status, window.logged])`
	if err := chromedp.Run(ctx, chromedp.Evaluate(code, &out)); err != nil {
		return "and it does not tell anything: " + err.Error()
	}
	return out
}

// want fails unless the body returns the given JSON.
func (tb *tab) want(want, body string, args ...any) {
	tb.t.Helper()
	if got := tb.do(body, args...); got != want {
		tb.t.Fatalf("%s\n got %s\nwant %s", fmt.Sprintf(body, args...), got, want)
	}
}

// eventually waits until the body returns the given JSON.
func (tb *tab) eventually(want, body string, args ...any) {
	tb.t.Helper()
	patience.Until(tb.t, fmt.Sprintf("%s\nto be %s", fmt.Sprintf(body, args...), want), func() (string, bool) {
		got, err := tb.try(body, args...)
		if err != nil {
			return err.Error(), false
		}
		return got, got == want
	})
}

// offline takes the tab's network away, or gives it back.
func (tb *tab) offline(yes bool) {
	tb.t.Helper()
	if tb.other != nil {
		tb.offlineByItself(yes)
		return
	}
	tb.run("network", chromedp.ActionFunc(func(ctx context.Context) error {
		type conditions struct {
			Offline            bool    `json:"offline"`
			Latency            float64 `json:"latency"`
			DownloadThroughput float64 `json:"downloadThroughput"`
			UploadThroughput   float64 `json:"uploadThroughput"`
		}
		return cdpExecute(ctx, "Network.emulateNetworkConditions", conditions{yes, 0, -1, -1})
	}))
}

// start opens the database "test" and its stream "lists/1" on the page, as window.db and window.s.
func (tb *tab) start(options string) {
	tb.t.Helper()
	if options == "" {
		options = `{}`
	}
	tb.do(`
		window.starting = "the script";
		while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
		starting = "the database";
		window.db = await strandline.open({name: "test", server: location.origin, timers: {idle: 300, retry: 300}, ...%s});
		starting = "the stream";
		window.s = await db.stream("lists/1");
		starting = "done";
		window.titles = () => s.query({orderBy: "title"}).map((r) => r.title);
	`, options)
}
