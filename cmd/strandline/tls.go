package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificates are read again when their files change: a new one is used by the next connection. Where the new ones cannot be used, the last good ones
// are, and that is told.
type certificates struct {
	cert, key string
	mu        sync.Mutex
	looked    time.Time
	changed   [2]time.Time
	now       *tls.Certificate
}

// certificateLook is how often the files are looked at, at most.
const certificateLook = time.Second

func loadCertificates(cert, key string) (*certificates, error) {
	c := &certificates{cert: cert, key: key}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	return c, nil
}

func (c *certificates) times() (out [2]time.Time) {
	for i, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil {
			out[i] = info.ModTime()
		}
	}
	return out
}

func (c *certificates) load() error {
	c.changed = c.times()
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		c.now = &pair
	}
	return err
}

func (c *certificates) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if now := time.Now(); now.Sub(c.looked) > certificateLook {
			if c.looked = now; c.times() != c.changed {
				if err := c.load(); err != nil {
					slog.Error("the certificate cannot be read again, and the one before is used", "error", err)
				} else {
					slog.Info("the certificate was read again")
				}
			}
		}
		return c.now, nil
	}}
}
