package replay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/bundle"
	"github.com/strandline-sync/strandline/core/locallog"
)

// Header is the first line of a bundle: of what it was made.
type Header struct {
	Format   int    `json:"bundle"`
	ID       string `json:"id"`
	At       string `json:"at"`
	Database string `json:"database"`
	User     string `json:"user"` // "" for none
	Version  string `json:"version"`
	Agent    string `json:"agent"`
	Redacted bool   `json:"redacted"`
}

// Bundle is what one tells.
type Bundle struct {
	Header
	Streams []*Stream
	Data    []json.RawMessage // entries of data streams that were not sent
	Turns   []json.RawMessage // of the loop, oldest first
}

// Stream is one of its streams: what was stored, what it was in memory, and its lists as people see them.
type Stream struct {
	Name      string
	Client    action.UUID
	Remains   locallog.Remains
	Stand     *bundle.Stand // nil: it is not known
	Pending   []json.RawMessage
	Rejected  []json.RawMessage
	Conflicts []json.RawMessage
	Resets    []json.RawMessage
	masked    bool
}

// line is one of them; the member that it has says what it tells.
type line struct {
	Stream   *string          `json:"stream"`
	Client   string           `json:"client"`
	Stand    *stand           `json:"stand"`
	Manifest *[]byte          `json:"manifest"`
	Page     *string          `json:"page"`
	Spare    *[]byte          `json:"spare"`
	Record   *locallog.LSN    `json:"record"`
	Bytes    []byte           `json:"bytes"`
	Pending  json.RawMessage  `json:"pending"`
	Rejected json.RawMessage  `json:"rejected"`
	Conflict json.RawMessage  `json:"conflict"`
	Reset    json.RawMessage  `json:"reset"`
	Data     *json.RawMessage `json:"data"`
	Turn     json.RawMessage  `json:"turn"`
	Lines    *int             `json:"lines"`
}

type stand struct {
	Log     string       `json:"log"`
	Record  locallog.LSN `json:"record"`
	Head    uint64       `json:"head"`
	Chain   string       `json:"chain"`
	Objects int          `json:"objects"`
	Hash    string       `json:"hash"`
}

// Read reads a bundle. One that is cut, or is none, is a malformed *Error with the number of the line; one of a newer format, an upgrade
// one.
func Read(from io.Reader) (*Bundle, error) {
	in, b := bufio.NewReaderSize(from, 1<<20), new(Bundle)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return nil, action.Malformed("/"+strconv.Itoa(n), "the bundle is cut: its last line is missing")
		}
		if n == 1 {
			err = b.begin(text)
		} else {
			var over bool
			if over, err = b.line(text, n); over {
				return b, nil
			}
		}
		if err != nil {
			return nil, err
		}
	}
}

func (b *Bundle) begin(text []byte) error {
	if json.Unmarshal(text, &b.Header) != nil || b.Format == 0 {
		return action.Malformed("/1", "this is no bundle")
	}
	if b.Format != 1 {
		return action.Fail(action.CodeUpgrade, "/1/bundle", "the bundle has format "+strconv.Itoa(b.Format)+"; this version reads format 1")
	}
	return nil
}

func (b *Bundle) line(text []byte, n int) (over bool, err error) {
	var l line
	if json.Unmarshal(text, &l) != nil {
		return false, action.Malformed("/"+strconv.Itoa(n), "is no line of a bundle")
	}
	switch {
	case l.Lines != nil:
		if *l.Lines != n {
			return false, action.Malformed("/"+strconv.Itoa(n), "the bundle lacks lines: it had "+strconv.Itoa(*l.Lines))
		}
		return true, nil
	case l.Turn != nil:
		b.Turns = append(b.Turns, l.Turn)
		return false, nil
	case l.Data != nil:
		b.Data = append(b.Data, bytes.TrimSpace(text))
		return false, nil
	case l.Stream != nil:
		return false, b.stream(&l, n)
	case len(b.Streams) == 0:
		return false, nil
	}
	s := b.Streams[len(b.Streams)-1]
	r := &s.Remains
	switch {
	case l.Manifest != nil:
		r.Manifest = *l.Manifest
	case l.Spare != nil:
		r.Spare = *l.Spare
	case l.Page != nil:
		r.Pages = append(r.Pages, locallog.Page{Name: *l.Page, Bytes: l.Bytes})
	case l.Record != nil:
		r.Records = append(r.Records, locallog.StoredRecord{LSN: *l.Record, Bytes: l.Bytes})
	case l.Pending != nil:
		s.Pending = append(s.Pending, l.Pending)
	case l.Rejected != nil:
		s.Rejected = append(s.Rejected, l.Rejected)
	case l.Conflict != nil:
		s.Conflicts = append(s.Conflicts, l.Conflict)
	case l.Reset != nil:
		s.Resets = append(s.Resets, l.Reset)
	}
	return false, nil
}

func (b *Bundle) stream(l *line, n int) error {
	s := &Stream{Name: *l.Stream, masked: b.Redacted}
	s.Client, _ = action.ParseUUID(l.Client)
	if l.Stand != nil {
		chain, ok := action.ParseChain(l.Stand.Chain)
		hash, sure := action.ParseChain(l.Stand.Hash)
		if !ok || !sure {
			return action.Malformed("/"+strconv.Itoa(n)+"/stand", "is no sixteen hex digits")
		}
		log, _ := action.ParseUUID(l.Stand.Log)
		s.Stand = &bundle.Stand{Log: log, LSN: l.Stand.Record, Head: l.Stand.Head, Chain: chain, Objects: l.Stand.Objects, Hash: hash}
	}
	b.Streams = append(b.Streams, s)
	return nil
}
