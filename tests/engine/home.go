package engine

import (
	_ "embed"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

//go:embed agent.js
var agent string

// home is where pages call.
type home struct {
	url  string
	mu   sync.Mutex
	tabs map[int]*Page
	next int
}

var theHome = sync.OnceValue(func() *home {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	h := &home{url: "http://" + l.Addr().String(), tabs: map[int]*Page{}}
	go http.Serve(l, h)
	return h
})

// Inject puts the agent into a page, before all other scripts.
func Inject(html string) string {
	script := "<script>" + strings.Replace(agent, "__WS__", strings.Replace(theHome().url, "http", "ws", 1)+"/agent", 1) + "</script>"
	lower := strings.ToLower(html)
	for _, tag := range []string{"<head>", `<meta charset="utf-8">`, "<!doctype html>"} {
		if i := strings.Index(lower, tag); i >= 0 {
			i += len(tag)
			return html[:i] + script + html[i:]
		}
	}
	return script + html
}

const control = `<!doctype html><meta charset="utf-8"><title>control</title><link rel="icon" href="data:,"><body>control`

func (h *home) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/agent" {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, Inject(control))
		return
	}
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	defer conn.Close()
	var p *Page
	for {
		data, err := wsutil.ReadClientText(conn)
		if err != nil {
			break
		}
		var m message
		if json.Unmarshal(data, &m) != nil {
			continue
		}
		if m.Kind == "hello" {
			h.mu.Lock()
			p = h.tabs[m.Tab]
			h.mu.Unlock()
			if p == nil {
				return
			}
			p.connected(conn, m)
			continue
		}
		if p != nil {
			p.heard(m)
		}
	}
	if p != nil {
		p.gone(conn)
	}
}

func (h *home) page() *Page {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.next++
	p := &Page{ID: h.next, waiting: map[int]chan result{}, changed: make(chan struct{})}
	h.tabs[p.ID] = p
	return p
}
