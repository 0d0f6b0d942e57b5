package server

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/strandline-sync/strandline/core/action"
)

const (
	unpackRatio  = 100     // a body that unpacks to more than this many times its size is an attack
	worthPacking = 1 << 10 // an answer under this is sent as it is
)

// readBody reads a request's body, unpacked, within the limits.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	packed := &counter{r: http.MaxBytesReader(w, r.Body, int64(s.MaxRequestBytes))}
	var body io.Reader = packed
	ratio := false
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(packed)
		if err != nil {
			return nil, bodyError(err)
		}
		body, ratio = z, true
	case "zstd":
		z, err := zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(16<<20))
		if err != nil {
			return nil, bodyError(err)
		}
		defer z.Close()
		body, ratio = z, true
	default:
		return nil, problem("unsupported-media-type", "", "a body is packed with gzip or zstd, or not at all")
	}
	var out bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		out.Write(buf[:n])
		if out.Len() > s.MaxRequestBytes {
			return nil, errTooLarge
		}
		if err == io.EOF {
			if ratio && int64(out.Len()) > unpackRatio*packed.n {
				return nil, errTooLarge
			}
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
	}
}

var errTooLarge = problem(action.CodeTooLarge, "", "the request is over the limit")

func bodyError(err error) error {
	var big *http.MaxBytesError
	if errors.As(err, &big) || errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return errTooLarge
	}
	return bad("", "the body cannot be read")
}

func bad(path, message string) *action.Error { return problem(action.CodeMalformed, path, message) }

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

// writeBody sends an answer of JSON that changes.
func writeBody(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	pack(w, r, body)
}

// pack sends a body, packed where the client takes that and it is worth it.
func pack(w http.ResponseWriter, r *http.Request, body []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if len(body) < worthPacking || !takesGzip(r.Header.Get("Accept-Encoding")) {
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

// takesGzip reads Accept-Encoding: what is said of gzip itself counts before what is said of all.
func takesGzip(accept string) bool {
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

func validUTF8(s string) string { return strings.ToValidUTF8(s, "\ufffd") }
