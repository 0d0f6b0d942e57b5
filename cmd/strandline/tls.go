package main

import (
	"crypto/tls"
	"fmt"

	"github.com/strandline-sync/strandline/server/reread"
)

// certificates are read again when their files change: a new one is used by the next connection. Where the new ones cannot be used, the last good ones
// are, and that is told.
type certificates struct {
	*reread.Files[*tls.Certificate]
}

func loadCertificates(cert, key string) (*certificates, error) {
	files, err := reread.Open(func(texts [][]byte) (*tls.Certificate, error) {
		pair, err := tls.X509KeyPair(texts[0], texts[1])
		return &pair, err
	}, cert, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	return &certificates{files}, nil
}

func (c *certificates) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.Get(), nil }}
}
