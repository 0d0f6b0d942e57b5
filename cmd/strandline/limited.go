package main

import (
	"net"
	"sync"
)

// limited is a listener that has so many connections at a time, and half of them at most from one address. More are closed at once.
func limited(l net.Listener, most int) net.Listener {
	return &limitedListener{Listener: l, most: most, from: map[string]int{}}
}

type limitedListener struct {
	net.Listener
	most int
	mu   sync.Mutex
	all  int
	from map[string]int
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, _, err := net.SplitHostPort(c.RemoteAddr().String())
		if err != nil {
			host = c.RemoteAddr().String()
		}
		l.mu.Lock()
		room := l.all < l.most && l.from[host] < (l.most+1)/2
		if room {
			l.all++
			l.from[host]++
		}
		l.mu.Unlock()
		if !room {
			c.Close()
			continue
		}
		if tcp, is := c.(*net.TCPConn); is {
			_ = tcp.SetWriteBuffer(sendBuffer)
		}
		return &limitedConn{Conn: c, done: sync.OnceFunc(func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.all--
			if l.from[host]--; l.from[host] == 0 {
				delete(l.from, host)
			}
		})}, nil
	}
}

// sendBuffer bounds what the system holds for a connection whose other end reads slowly; without it that is up to 4 MB each.
const sendBuffer = 512 << 10

type limitedConn struct {
	net.Conn
	done func()
}

func (c *limitedConn) Close() error {
	c.done()
	return c.Conn.Close()
}
