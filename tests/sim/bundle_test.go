package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/client/replay"
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/bundle"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/queue"
)

// bundled is a bundle of what a tab has open.
func (tb *tab) bundled(mask *bundle.Mask) (text string, stand *bundle.Stand) {
	tb.w.t.Helper()
	local := tb.local.Clone().Open() // as it is now: no call of it fails
	remains, err := local.Remains(context.Background(), stream)
	if err != nil {
		tb.w.t.Fatal(err)
	}
	if at, ok := bundle.StandOf(tb.Replica, mask); ok && at.In(&remains) {
		stand = &at
	}
	var to strings.Builder
	out := replay.NewWriter(&to)
	out.Begin(replay.Header{Redacted: mask != nil})
	out.Stream(stream, &remains, stand, tb.Replica, mask)
	if err := out.End(); err != nil {
		tb.w.t.Fatal(err)
	}
	return to.String(), stand
}

// replays goes through a bundle of the tab's, and wants what it holds at the end; masked says that of what was written nothing is in it.
func (h *history) replays(tb *tab, masked bool) {
	h.t.Helper()
	if h.evicts && h.odd[tb.local] { // it may go on in memory: what is stored is not its
		return
	}
	var mask *bundle.Mask
	if masked {
		mask = bundle.NewMask(h.r.Uint64)
	}
	text, stand := tb.bundled(mask)
	b, err := replay.Read(strings.NewReader(text))
	if err != nil {
		h.t.Fatalf("a bundle cannot be read: %v\n%s", err, text)
	}
	same := stand == nil
	_, err = b.Streams[0].Replay(func(step *replay.Step) error { same = same || step.Same; return nil })
	if err == replay.ErrDamaged && h.flips { // what it is made for
		return
	}
	if err != nil || !same {
		h.t.Fatalf("masked %v: a bundle leads elsewhere: %v, %v, %+v, %+v", masked, err, same, stand, tb.Status())
	}
	if masked {
		h.unread(text)
	}
	h.count("a bundle is replayed")
}

// written begins the texts of histories.
const written = `"written `

// unread wants nothing of them in a bundle.
func (h *history) unread(text string) {
	for line := range strings.SplitSeq(text, "\n") {
		var l struct{ Bytes, Manifest, Spare []byte }
		_ = json.Unmarshal([]byte(line), &l)
		for _, b := range [][]byte{[]byte(line), l.Bytes, l.Spare} {
			if bytes.Contains(b, []byte(written)) || bytes.Contains(b, []byte("bbbbbb")) {
				h.t.Fatalf("what was written is in a redacted bundle: %q", b)
			}
		}
	}
}

// lend has another profile take over what a tab has not sent.
func (h *history) lend(from *tab) {
	if !h.lends || from.Stream == nil {
		return
	}
	to := h.profiles[h.r.IntN(len(h.profiles))]
	tb := to.tabs[h.r.IntN(len(to.tabs))]
	if tb == nil || tb.Stream == nil || tb.dead || tb.closed != nil || stuck(tb) || tb.local == from.local {
		return
	}
	text, _ := from.bundled(nil)
	b, err := replay.Read(strings.NewReader(text))
	if err != nil {
		h.t.Fatal(err)
	}
	h.count("a bundle is imported")
	for _, raw := range b.Streams[0].Pending {
		l, err := tb.Adopt(string(raw))
		switch code := action.CodeOf(err); {
		case err == queue.ErrLeft:
			h.count("a bundle's action is left")
			continue
		case err == queue.ErrKnown, code == action.CodeClosed, code == action.CodeCorrupt:
			continue
		case err != nil:
			h.t.Fatalf("%v: %s", err, raw)
		}
		var objects []action.UUID
		for i := range l.Ops {
			objects = append(objects, l.Ops[i].Object)
		}
		h.wrote(tb, l.Raw)
		h.feeds[tb].add(objects)
	}
	tb.db.Step(&plan.Wrote{})
}

func decoded(t *testing.T, raw string) *action.Action {
	t.Helper()
	a, err := action.DecodeAction(raw)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
