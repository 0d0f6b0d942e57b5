package sim

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/rows"
)

var changesDir = flag.String("changes", "", "a directory for files of what pages are given of rows, a file for each; js/src/rows/replay.test.ts replays them")

// feed is what the page of a tab is given, and of those that take its place: a line for each piece, and the rows as they are where
// nothing follows.
type feed struct {
	news rows.News
	tb   *tab
	out  bytes.Buffer
	r    *rand.Rand // of its own: histories are the same without
	path string
}

// feed begins one, or goes on with that of the tab that was there before: another program under the same table.
func (h *history) feed(p *profile, i int, tb *tab) {
	if *changesDir == "" {
		return
	}
	if p.feeds == nil {
		p.feeds = make([]*feed, len(p.tabs))
	}
	f := p.feeds[i]
	if f == nil {
		h.files++
		f = &feed{r: rand.New(rand.NewPCG(1, h.files)), path: filepath.Join(*changesDir, fmt.Sprintf("%s-%d.jsonl", filepath.Base(h.t.Name()), h.files))}
		p.feeds[i] = f
	}
	delete(h.feeds, f.tb)
	f.tb, f.news = tb, rows.News{}
	h.feeds[tb] = f
	f.out.WriteString("{\"attach\":true}\n")
}

func (f *feed) add(ids []action.UUID) {
	if f != nil {
		f.news.Add(ids)
	}
}

// fed takes note of a step's changes, and gives a piece at times.
func (h *history) fed(tb *tab, p *plan.Plan) {
	f := h.feeds[tb]
	if f == nil || tb.Stream == nil {
		return
	}
	for i := range p.Changes {
		if c := &p.Changes[i]; tb.is(c.Stream) {
			f.news.Differs(&c.Difference)
		}
	}
	if f.r.IntN(3) == 0 {
		f.piece()
	}
}

func (f *feed) piece() (more bool) {
	piece, whole, more := f.news.Piece(nil, f.tb.State(), 50+f.r.IntN(1000))
	fmt.Fprintf(&f.out, `{"piece":%s,"whole":%t,"more":%t`, piece, whole, more)
	if !more {
		var all rows.News
		whole, _, _ := all.Piece(nil, f.tb.State(), 1<<30)
		fmt.Fprintf(&f.out, `,"all":%s`, whole)
	}
	f.out.WriteString("}\n")
	return more
}

// endFeeds gives what is left, and writes the files.
func (h *history) endFeeds() {
	if h.shown.Len() > 0 {
		if err := os.WriteFile(filepath.Join(*changesDir, filepath.Base(h.t.Name())+".shown"), h.shown.Bytes(), 0o644); err != nil {
			h.t.Fatal(err)
		}
	}
	for _, p := range h.profiles {
		for _, f := range p.feeds {
			for f.tb.Stream != nil && f.piece() {
			}
			if err := os.WriteFile(f.path, f.out.Bytes(), 0o644); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}
