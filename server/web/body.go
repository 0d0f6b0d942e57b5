package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/strandline-sync/strandline/core/action"
)

const (
	unpackRatio = 100 // a body that unpacks to more than this many times its size is an attack
	byteTakes   = 20 * time.Nanosecond
	decodedCost = 4 // times an unpacked body's bytes: what it takes until it is answered
)

// A body may come as slowly as a bad line does, and no slower: the time limit moves with what arrives.
const (
	bodyStall = 20 * time.Second // without a byte
	bodyGrace = 10 * time.Second // before the rate counts
	bodyRate  = 512              // bytes a second, on average
)

// ReadBody reads a request's body, unpacked, within the limits. What broke off, or came too slowly, is no verdict on what was sent: the client asks again.
func (s *Host) ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	packing := strings.ToLower(r.Header.Get("Content-Encoding"))
	switch packing {
	case "", "identity":
		packing = ""
	case "gzip", "zstd":
	default:
		return nil, Problem("unsupported-media-type", "", "a body is packed with gzip or zstd, or not at all")
	}
	work := WorkOf(r.Context())
	work.Pause() // the line is waited for
	hold := &Hold{pool: s.Memory, asker: work.Asker()}
	body, err := s.receive(w, r, hold)
	if err != nil {
		hold.End()
		return nil, err
	}
	most := len(body)
	if packing != "" {
		most = min(s.MaxRequestBytes, unpackRatio*len(body))
	}
	unpacked, err := s.Memory.Take(r.Context(), work.Asker(), decodedCost*most)
	if err != nil {
		hold.End()
		return nil, err
	}
	work.Keep(unpacked)
	work.Expect(time.Duration(most) * byteTakes)
	if err := work.Resume(r.Context()); err != nil {
		hold.End()
		return nil, err
	}
	packed := len(body)
	if packing != "" {
		body, err = unpack(packing, body, s.MaxRequestBytes)
	}
	hold.End()
	if err != nil {
		return nil, err
	}
	if packing != "" && len(body) > unpackRatio*packed {
		return nil, ErrTooLarge
	}
	unpacked.Set(decodedCost * len(body))
	return body, nil
}

// receive reads what the line brings.
func (s *Host) receive(w http.ResponseWriter, r *http.Request, hold *Hold) ([]byte, error) {
	if r.ContentLength > int64(s.MaxRequestBytes) {
		return nil, ErrTooLarge
	}
	ctl, from := http.NewResponseController(w), http.MaxBytesReader(w, r.Body, int64(s.MaxRequestBytes))
	var out []byte
	if r.ContentLength >= 0 && r.ContentLength <= littleBytes {
		out = make([]byte, 0, r.ContentLength+1)
	}
	began := time.Now()
	for {
		if len(out) == cap(out) {
			n := max(4<<10, 2*cap(out))
			if n > littleBytes {
				if err := hold.Grow(n - cap(out)); err != nil {
					return nil, err
				}
			}
			out = append(make([]byte, 0, n), out...)
		}
		limit := time.Now().Add(bodyStall)
		if at := began.Add(bodyGrace + time.Duration(len(out)/bodyRate)*time.Second); at.Before(limit) {
			limit = at
		}
		_ = ctl.SetReadDeadline(limit) // of the server's own, which is for whole requests
		n, err := from.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		var big *http.MaxBytesError
		switch {
		case err == nil:
		case err == io.EOF:
			_ = ctl.SetReadDeadline(time.Time{}) // nothing more is read; a deadline that passes would end the request
			return out, nil
		case errors.As(err, &big):
			return nil, ErrTooLarge
		default:
			return nil, Problem(action.CodeUnavailable, "", "the request did not come to its end")
		}
	}
}

var (
	gunzips = sync.Pool{New: func() any { return new(gzip.Reader) }}
	unzstd  = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(16<<20), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			panic(err)
		}
		return d
	})
)

// unpack unpacks a whole body, up to most bytes.
func unpack(packing string, body []byte, most int) ([]byte, error) {
	var from io.Reader
	if packing == "gzip" {
		z := gunzips.Get().(*gzip.Reader)
		defer gunzips.Put(z)
		if err := z.Reset(bytes.NewReader(body)); err != nil {
			return nil, errBody
		}
		from = z
	} else {
		var h zstd.Header
		if h.Decode(body) != nil {
			return nil, errBody
		}
		if h.HasFCS && h.FrameContentSize > uint64(most) {
			return nil, ErrTooLarge
		}
		out, err := unzstd().DecodeAll(body, make([]byte, 0, min(most, 4*len(body))))
		switch {
		case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded), len(out) > most:
			return nil, ErrTooLarge
		case err != nil:
			return nil, errBody
		}
		return out, nil
	}
	out := bytes.NewBuffer(make([]byte, 0, min(most, 4*len(body))))
	if _, err := io.Copy(out, io.LimitReader(from, int64(most)+1)); err != nil {
		return nil, errBody
	}
	if out.Len() > most {
		return nil, ErrTooLarge
	}
	return out.Bytes(), nil
}

var errBody = Bad("", "the body cannot be read")

// Bad is a request that can never be right.
func Bad(pointer, message string) *action.Error {
	return Problem(action.CodeMalformed, pointer, message)
}
