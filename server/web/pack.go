package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

const worthPacking = 1 << 10 // an answer under this is sent as it is

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
	work := WorkOf(r.Context())
	if len(body) >= worthPacking && TakesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		out := bytes.NewBuffer(make([]byte, 0, len(body)/4))
		z := gzips.Get().(*gzip.Writer)
		z.Reset(out)
		z.Write(body) // a bytes.Buffer takes all
		z.Close()
		gzips.Put(z)
		body = out.Bytes()
	}
	if hold := work.Hold(); hold != nil {
		hold.Set(len(body)) // the request is done with
	}
	Send(w, r, body)
}

// A client may read an answer as slowly as a bad line does, and no slower.
const (
	partBytes = 32 << 10
	partLimit = 20 * time.Second
)

// Send writes an answer's body. An error is the line's.
func Send(w http.ResponseWriter, r *http.Request, body []byte) error {
	work := WorkOf(r.Context())
	_, err := slowly{r.Context(), w, http.NewResponseController(w), nil}.write(work, body)
	return err
}

// Slowly writes an answer in parts that each have a time limit of their own: the server's is for small answers.
func Slowly(w http.ResponseWriter, r *http.Request) io.Writer {
	return slowly{r.Context(), w, http.NewResponseController(w), WorkOf(r.Context())}
}

type slowly struct {
	ctx  context.Context
	w    io.Writer
	ctl  *http.ResponseController
	work *Work
}

func (s slowly) Write(b []byte) (n int, err error) {
	if n, err = s.write(s.work, b); err == nil {
		err = s.work.Resume(s.ctx) // what is to be written next is made by a processor
	}
	return n, err
}

// write writes without a processor.
func (s slowly) write(work *Work, b []byte) (n int, err error) {
	work.Pause()
	for part := range slices.Chunk(b, partBytes) {
		_ = s.ctl.SetWriteDeadline(time.Now().Add(partLimit))
		m, err := s.w.Write(part)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// TakesGzip reads Accept-Encoding: what is said of gzip itself counts before what is said of all.
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
