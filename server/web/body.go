package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/klauspost/compress/zstd"
)

const (
	unpackRatio  = 100     // a body that unpacks to more than this many times its size is an attack
	worthPacking = 1 << 10 // an answer under this is sent as it is
)

// ReadBody reads a request's body, unpacked, within the limits.
func (s *Host) ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	Packed := &counter{r: http.MaxBytesReader(w, r.Body, int64(s.MaxRequestBytes))}
	var body io.Reader = Packed
	ratio := false
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(Packed)
		if err != nil {
			return nil, bodyError(err)
		}
		body, ratio = z, true
	case "zstd":
		z, err := zstd.NewReader(Packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(16<<20))
		if err != nil {
			return nil, bodyError(err)
		}
		defer z.Close()
		body, ratio = z, true
	default:
		return nil, Problem("unsupported-media-type", "", "a body is packed with gzip or zstd, or not at all")
	}
	var out bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		out.Write(buf[:n])
		if out.Len() > s.MaxRequestBytes {
			return nil, ErrTooLarge
		}
		if err == io.EOF {
			if ratio && int64(out.Len()) > unpackRatio*Packed.n {
				return nil, ErrTooLarge
			}
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
	}
}

func bodyError(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) || errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return ErrTooLarge
	}
	return Bad("", "the body cannot be read")
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

var gzips = sync.Pool{New: func() any { z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return z }}

// WriteBody sends an answer of JSON that changes.
func WriteBody(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	Pack(w, r, body)
}

// Pack sends a body, packed where the client takes that and it is worth it.
func Pack(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(body) < worthPacking || !TakesGzip(r.Header.Get("Accept-Encoding")) {
		w.Write(body)
		return
	}
	h.Set("Content-Encoding", "gzip")
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(w)
	z.Write(body)
	z.Close()
}

// TakesGzip reads Accept-Encoding: what is Said of gzip itself counts before what is Said of all.
func TakesGzip(accept string) bool {
	all := false
	for part := range strings.SplitSeq(strings.ToLower(accept), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := strings.ReplaceAll(params, " ", "")
		yes := !strings.HasPrefix(q, "q=0") || strings.Trim(q[len("q=0"):], ".0") != ""
		switch name {
		case "gzip":
			return yes
		case "*":
			all = yes
		}
	}
	return all
}

// ValidUTF8 puts the replacement character in the place of what is none.
func ValidUTF8(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
