package e2e

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httputil"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"

	"github.com/strandline-sync/strandline/tests/engine"
	"github.com/strandline-sync/strandline/tests/patience"
)

// Tests are written once, and run in each engine that can: what of them asks for Chromium's own protocol is skipped elsewhere, and says why.

func (b *browser) startOther() {
	b.t.Helper()
	b.ctx = context.Background()
	ctx, cancel := patience.Context(b.ctx, evalLimit)
	defer cancel()
	var err error
	if b.other, err = engine.Start(ctx, engine.Name(), b.profile); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.kill)
}

func (b *browser) openOther(url string) *tab {
	b.t.Helper()
	if origin := regexp.MustCompile(`^http://[^/]*`).FindString(url); !isSite(origin) {
		b.t.Skipf("cannot in %s: a page that no proxy of the test stands before, to have it call home", engine.Name())
	}
	if strings.HasSuffix(url, "/strict.html") || strings.HasSuffix(url, "/blocked.html") {
		b.t.Skipf("cannot in %s: a page whose policy forbids the test's own script", engine.Name())
	}
	tb := &tab{t: b.t, ctx: b.ctx}
	tb.byItself("open "+url, func(ctx context.Context) (err error) {
		tb.other, err = b.other.Open(ctx, url)
		return err
	})
	tb.console = &tb.other.Console
	tb.loaded()
	return tb
}

// loaded waits until the document and all that it names are there, as Chromium's protocol does.
func (tb *tab) loaded() {
	tb.t.Helper()
	tb.byItself("wait for the page", func(ctx context.Context) error {
		_, err := tb.other.Eval(ctx, `while (document.readyState !== "complete") await new Promise((r) => setTimeout(r, 5))`)
		return err
	})
}

// cannot skips what an engine has no way to.
func (tb *tab) cannot(why string) {
	tb.t.Helper()
	tb.t.Skipf("cannot in %s: %s", engine.Name(), why)
}

func (tb *tab) byItself(what string, f func(ctx context.Context) error) {
	tb.t.Helper()
	ctx, cancel := patience.Context(tb.ctx, evalLimit)
	defer cancel()
	if err := f(ctx); err != nil {
		tb.t.Fatalf("%s: %v", what, err)
	}
}

// sites are the origins whose pages call home.
var sites sync.Map

func isSite(origin string) bool {
	_, is := sites.Load(origin)
	return is
}

// away are the tabs whose network is: the site's proxy hangs up on them. Requests that no page makes (of a service worker) pass.
var away sync.Map // by the number of the tab

func (tb *tab) offlineByItself(yes bool) {
	if yes {
		away.Store(strconv.Itoa(tb.other.ID), true)
	} else {
		away.Delete(strconv.Itoa(tb.other.ID))
	}
	tb.do(`
		Object.defineProperty(navigator, "onLine", {get: () => !%v, configurable: true});
		dispatchEvent(new Event(%v ? "offline" : "online"))`, yes, yes)
}

// isAway tells whether a request is of a tab without a network.
func isAway(r *http.Request) bool {
	_, gone := away.Load(r.Header.Get("X-Tab"))
	return gone
}

// injected has pages of other engines call home.
func injected(p *httputil.ReverseProxy, r *http.Request) {
	if engine.Name() == engine.Chromium {
		return
	}
	r.Header.Set("Accept-Encoding", "identity")
	p.ModifyResponse = func(resp *http.Response) error {
		if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
			return nil
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		resp.Body.Close()
		text := engine.Inject(string(b))
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))
		resp.Header.Set("Content-Length", strconv.Itoa(len(text)))
		resp.Header.Del("Etag")
		return nil
	}
}

// chromium skips what only Chromium can show.
func (b *browser) chromium(what string) {
	b.t.Helper()
	if b.other != nil {
		b.t.Skipf("cannot in %s: %s, which asks for Chromium's protocol", engine.Name(), what)
	}
}

// leave runs code that makes the tab load another document.
func (tb *tab) leave(code string) {
	tb.t.Helper()
	if tb.other != nil {
		tb.byItself(code, func(ctx context.Context) error { return tb.other.Leave(ctx, code) })
		return
	}
	tb.run(code, chromedp.Evaluate(code, nil))
}
