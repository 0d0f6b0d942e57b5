package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// watchRows notes when the first rows are in the page.
const watchRows = `new MutationObserver((_, o) => {
	if (!document.querySelector(".todo-list li")) return;
	window.firstRows = performance.now();
	o.disconnect();
}).observe(document, {childList: true, subtree: true});`

// visits prints what people meet who open the demo, with 100 todos in its stream: for the first time, again, and with no server at all,
// in a browser that was just started.
func visits(w io.Writer, tmp, server string) error {
	fields := func(n int) string {
		return fmt.Sprintf(`"title":"Something to do, number %d","completed":false,"at":%d`, n, n)
	}
	if err := fill(server, "visit", 100, fields); err != nil {
		return err
	}
	p, err := newCounter(server)
	if err != nil {
		return err
	}
	defer p.stop()
	visit := func(profile string, times int) (ms []float64, err error) {
		ctx, end, err := browser(profile)
		if err != nil {
			return nil, err
		}
		defer end()
		for range times {
			rows, err := open(ctx, p.url+"/demo/?stream=visit")
			if err != nil {
				return nil, err
			}
			ms = append(ms, rows)
		}
		return ms, nil
	}
	var first, repeat, offline []float64
	var bytes, again int64
	for round := range 3 {
		profile := filepath.Join(tmp, fmt.Sprint("visit-", round))
		before := p.sent.Load()
		ms, err := visit(profile, 1)
		if err != nil {
			return err
		}
		first, bytes = append(first, ms...), p.sent.Load()-before
		before = p.sent.Load()
		if ms, err = visit(profile, 5); err != nil {
			return err
		}
		repeat, again = append(repeat, ms[1:]...), (p.sent.Load()-before)/5
	}
	p.stop()
	for round := range 3 {
		ms, err := visit(filepath.Join(tmp, fmt.Sprint("visit-", round)), 1)
		if err != nil {
			return err
		}
		offline = append(offline, ms...)
	}
	fmt.Fprintf(w, "\n| The demo with 100 todos | first rows after | transferred |\n|---|---|---|\n")
	fmt.Fprintf(w, "| first visit, to the end of the service worker's installation | %s ms | %.0f KB |\n", short(middle(first)), float64(bytes)/1024)
	fmt.Fprintf(w, "| again | %s ms | %.1f KB |\n", short(middle(repeat)), float64(again)/1024)
	fmt.Fprintf(w, "| without a server, in a browser just started | %s ms | |\n", short(middle(offline)))
	return nil
}

func middle(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// open opens the demo in a tab of its own and waits until it has rows and its service worker is in place.
func open(ctx context.Context, url string) (rows float64, err error) {
	tab, end := chromedp.NewContext(ctx)
	defer end()
	if err := chromedp.Run(tab); err != nil {
		return 0, err
	}
	tab, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	return rows, chromedp.Run(tab, chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(watchRows).Do(ctx)
		return err
	}), chromedp.Navigate(url), chromedp.Poll(`navigator.serviceWorker.controller && window.firstRows`, &rows, chromedp.WithPollingInterval(20*time.Millisecond)))
}

// counter is a server before the server that counts the bytes it sends.
type counter struct {
	net.Listener
	url  string
	sent atomic.Int64
	http http.Server
}

func newCounter(target string) (*counter, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{Listener: l, url: "http://" + l.Addr().String()}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.FlushInterval = -1
	c.http.Handler = proxy
	go func() {
		if err := c.http.Serve(c); !errors.Is(err, http.ErrServerClosed) {
			panic(err)
		}
	}()
	return c, nil
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return &counted{conn, &c.sent}, err
}

func (c *counter) stop() { c.http.Close() }

type counted struct {
	net.Conn
	sent *atomic.Int64
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent.Add(int64(n))
	return n, err
}
