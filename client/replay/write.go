package replay

import (
	"encoding/json"
	"io"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/bundle"
	"github.com/strandline-sync/strandline/core/conflict"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
)

// Writer writes a bundle: Begin, each stream, End.
type Writer struct {
	to    io.Writer
	lines int
	err   error
}

// NewWriter writes to somebody.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Begin writes the first line.
func (w *Writer) Begin(h Header) {
	h.Format = 1
	w.line(h)
}

// End writes the last one, and tells what failed.
func (w *Writer) End() error {
	w.line(map[string]int{"lines": w.lines + 1})
	return w.err
}

type fields = map[string]any

func (w *Writer) line(v any) {
	b, err := json.Marshal(v)
	if w.err == nil {
		w.err = err
	}
	if w.lines++; w.err == nil {
		_, w.err = w.to.Write(append(b, '\n'))
	}
}

// Opened is a stream that nobody needs to have open: as its local log says.
func Opened(name string, r *locallog.Remains) *replica.Replica {
	if rep, err := replica.Read(name, conflict.Most, r.Log(), nil); err == nil {
		return rep
	}
	return replica.Salvage(name, record.Init{}, conflict.Most, r, nil)
}

// Stream writes what there is of one: what is stored, what it was at a record, where that is known, and its lists, which are not told
// where it is masked.
func (w *Writer) Stream(name string, r *locallog.Remains, at *bundle.Stand, of *replica.Replica, m *bundle.Mask) {
	first := struct { // it begins with that
		Stream string          `json:"stream"`
		Client string          `json:"client"`
		Stand  json.RawMessage `json:"stand,omitempty"`
	}{Stream: name, Client: of.Client().String()}
	if at != nil {
		first.Stand = at.Append(nil)
	}
	w.line(first)
	if m != nil {
		m.Remains(r)
	}
	if r.Manifest != nil {
		w.line(fields{"manifest": r.Manifest})
	}
	for i := range r.Pages {
		w.line(fields{"page": r.Pages[i].Name, "bytes": r.Pages[i].Bytes})
	}
	if r.Spare != nil {
		w.line(fields{"spare": r.Spare})
	}
	for i := range r.Records {
		w.line(fields{"record": r.Records[i].LSN, "bytes": r.Records[i].Bytes})
	}
	if m == nil {
		w.lists(of)
	}
}

func (w *Writer) lists(of *replica.Replica) {
	var pending []json.RawMessage
	_ = json.Unmarshal(of.AppendPending(nil, nil), &pending) // it is an array of actions
	for _, raw := range pending {
		if _, err := action.DecodeAction(string(raw)); err == nil { // else it is not committed: who wrote it has not been told that it is kept
			w.line(fields{"pending": raw})
		}
	}
	for _, j := range of.RejectedList() {
		w.line(fields{"rejected": json.RawMessage(j.Append(nil))})
	}
	for _, c := range of.Conflicts() {
		w.line(fields{"conflict": json.RawMessage(c.Append(nil))})
	}
	for _, t := range of.ResetList() {
		w.line(fields{"reset": json.RawMessage(t.Append(nil))})
	}
}
