package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/gobwas/ws/wsutil"
)

type message struct {
	Kind, Doc, URL, UA, Text, Value, Error string
	Tab, ID                                int
}

type result struct {
	value string
	err   error
}

// Page is one tab.
type Page struct {
	ID      int
	mu      sync.Mutex
	conn    net.Conn
	doc     string
	docs    int // how many documents have called
	url     string
	waiting map[int]chan result
	serial  int
	changed chan struct{} // closed when conn has changed
	Console []string
	UA      string
}

func (p *Page) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Page) connected(conn net.Conn, m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doc != m.Doc {
		p.fail()
		p.docs++
	}
	p.conn, p.doc, p.url, p.UA = conn, m.Doc, m.URL, m.UA
	p.signal()
}

// ErrPageGone is told of what was asked of a page that has gone meanwhile.
var ErrPageGone = errors.New("the page is gone")

func (p *Page) fail() {
	for id, ch := range p.waiting {
		ch <- result{err: ErrPageGone}
		delete(p.waiting, id)
	}
}

func (p *Page) gone(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == conn {
		p.conn = nil
		p.fail()
		p.signal()
	}
}

func (p *Page) heard(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m.Kind {
	case "console":
		p.Console = append(p.Console, m.Text)
	case "result":
		if ch := p.waiting[m.ID]; ch != nil {
			delete(p.waiting, m.ID)
			if m.Error != "" {
				ch <- result{err: &Thrown{m.Error}}
			} else {
				ch <- result{value: m.Value}
			}
		}
	}
}

// Thrown is what the page's code threw.
type Thrown struct{ Text string }

func (t *Thrown) Error() string { return t.Text }

// wait waits until ok, which is asked with the lock held.
func (p *Page) wait(ctx context.Context, ok func() bool) error {
	for {
		p.mu.Lock()
		if ok() {
			p.mu.Unlock()
			return nil
		}
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("tab %d (%s): %w", p.ID, p.url, ctx.Err())
		}
	}
}

// Docs is how many documents the tab has had.
func (p *Page) Docs() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.docs
}

// Eval runs the body of an async function and gives what it returns, as JSON.
func (p *Page) Eval(ctx context.Context, body string) (string, error) {
	return p.eval(ctx, body, false)
}

func (p *Page) eval(ctx context.Context, body string, async bool) (string, error) {
	if err := p.wait(ctx, func() bool { return p.conn != nil }); err != nil {
		return "", err
	}
	p.mu.Lock()
	p.serial++
	id, conn, ch := p.serial, p.conn, make(chan result, 1)
	p.waiting[id] = ch
	p.mu.Unlock()
	if conn == nil {
		return "", ErrPageGone
	}
	text, _ := json.Marshal(map[string]any{"id": id, "code": body, "async": async})
	if err := wsutil.WriteServerText(conn, text); err != nil {
		return "", err
	}
	select {
	case r := <-ch:
		return r.value, r.err
	case <-ctx.Done():
		p.mu.Lock()
		delete(p.waiting, id)
		p.mu.Unlock()
		return "", fmt.Errorf("tab %d (%s): %w", p.ID, p.url, ctx.Err())
	}
}

// Leave runs code that makes the tab load another document, and waits for that.
func (p *Page) Leave(ctx context.Context, code string) error {
	before := p.Docs()
	if _, err := p.eval(ctx, code, true); err != nil && !errors.Is(err, ErrPageGone) {
		return err
	}
	return p.wait(ctx, func() bool { return p.docs > before && p.conn != nil })
}

// Reload loads it anew.
func (p *Page) Reload(ctx context.Context) error { return p.Leave(ctx, "location.reload()") }

// Goto goes to another page of the same site.
func (p *Page) Goto(ctx context.Context, url string) error {
	p.mu.Lock()
	at, _, _ := strings.Cut(p.url, "#")
	p.mu.Unlock()
	if to, _, hash := strings.Cut(url, "#"); hash && to == at {
		_, err := p.eval(ctx, fmt.Sprintf("location.assign(%q)", url), false)
		return err
	}
	return p.Leave(ctx, fmt.Sprintf("location.assign(%q)", fmt.Sprintf("%s#__tab=%d", url, p.ID)))
}

// Close closes it.
func (p *Page) Close(ctx context.Context) error {
	if _, err := p.eval(ctx, "window.close()", true); err != nil && !errors.Is(err, ErrPageGone) {
		return err
	}
	return p.wait(ctx, func() bool { return p.conn == nil })
}
