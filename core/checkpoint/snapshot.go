// Package checkpoint makes local checkpoints as a store takes them: a state in framed pages, what stands beside it, and pages of own
// actions.
package checkpoint

import (
	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/state"
)

// Beside is what a checkpoint holds beside its state.
type Beside interface {
	// Rest is one record of all that is not the state's, nor in pages of own actions.
	Rest(but *own.Cut) []byte
	// Spare is one record of what nobody else has, in case that the rest cannot be read.
	Spare() []byte
	// Kept are those actions.
	Kept() *own.Store
}

// Snapshot is a local checkpoint in the making: a snapshot of the state in framed pages, and what stands beside it.
type Snapshot struct {
	state   *state.Snapshot
	framed  int // how many of the state's pages have been looked at
	kept    own.Cut
	frames  [][]byte // of these, once they are made
	lasting func([]locallog.KeptPage) []locallog.KeptPage
	written []int // which of them are new, as out.Pages has them
	Next    locallog.Manifest
	rest    []byte
	shown   string // beside it; {"pages":[…]} comes to it
	out     locallog.Checkpoint
}

// pageRoom is where the rest is cut into pages.
const pageRoom = 256 << 10

// Whole begins one of a state that does not change meanwhile.
func Whole(s *state.State, undos []*state.Undo, log action.UUID) *Snapshot {
	return &Snapshot{state: s.TakeSnapshot(undos), Next: locallog.Manifest{Log: log}}
}

// Changes begins one that leaves out what has not changed since the last one.
func Changes(s *state.State, undos []*state.Undo, log action.UUID) *Snapshot {
	return &Snapshot{state: s.TrackSnapshot(undos), Next: locallog.Manifest{Log: log}}
}

// State is that of the snapshot.
func (n *Snapshot) State() *state.Snapshot { return n.state }

// Step does a few milliseconds of the work, and says when all is done.
func (n *Snapshot) Step() (done bool) {
	done = n.state.Step()
	for ; n.framed < len(n.state.Pages); n.framed++ {
		p := &n.state.Pages[n.framed]
		if p.Body == nil {
			continue
		}
		e := locallog.NewRecord(locallog.KindPage, len(p.Body))
		e.Raw(p.Body)
		blob := locallog.Finish(e)
		n.written = append(n.written, n.framed)
		n.out.Pages = append(n.out.Pages, locallog.Page{Bytes: blob, Rows: action.View(p.Rows)})
		p.Body, p.Rows, p.Bytes = nil, nil, len(blob)
	}
	return done
}

// Seal makes the checkpoint of what was written, built on base. It may be done again, with another lsn and rest.
func (n *Snapshot) Seal(base *locallog.Manifest) *locallog.Checkpoint {
	m := &n.Next
	pages := n.state.Pages
	n.out.Pages = n.out.Pages[:len(n.written)]
	for i, at := range n.written {
		name := locallog.PageName(m.LSN, i)
		n.out.Pages[i].Name, pages[at].Name = name, name
	}
	m.Pages, m.Rest, n.out.Drop = nil, nil, nil
	m.Bytes = max(0, len(n.rest)-n.kept.Left) // what comes with each checkpoint is no reason to take fewer
	for i := range pages {
		m.Pages = append(m.Pages, locallog.StoredPage{Low: pages[i].Low, Name: pages[i].Name, Bytes: pages[i].Bytes})
		m.Bytes += pages[i].Bytes
	}
	for at := 0; at < len(n.rest); at += pageRoom {
		name := locallog.PageName(m.LSN, len(n.out.Pages))
		m.Rest = append(m.Rest, name)
		n.out.Pages = append(n.out.Pages, locallog.Page{Name: name, Bytes: n.rest[at:min(len(n.rest), at+pageRoom)]})
	}
	m.Kept = n.keep(base)
	m.Raw = m.Encode()
	n.out.LSN, n.out.Base, n.out.Manifest, n.out.Afresh = m.LSN, base.Raw, m.Raw, !base.Shows()
	if n.out.Shown = ""; n.shown != "" {
		shown := []byte(`{"pages":[`)
		for i := range m.Pages {
			if i > 0 {
				shown = append(shown, ',')
			}
			shown = append(append(append(shown, '"'), m.Pages[i].Name...), '"')
		}
		n.out.Shown = action.View(append(append(shown, "],"...), n.shown[1:]...))
	}
	kept := map[string]bool{}
	for _, name := range m.Names() {
		kept[name] = true
	}
	for i := range m.Kept {
		kept[m.Kept[i].Name] = true
	}
	was := base.Names()
	for i := range base.Kept {
		was = append(was, base.Kept[i].Name)
	}
	for _, name := range was {
		if !kept[name] {
			n.out.Drop = append(n.out.Drop, name)
		}
	}
	return &n.out
}

// keep gives the pages of own actions that the checkpoint has: those that the one before has and that are to last, and new ones.
func (n *Snapshot) keep(base *locallog.Manifest) (out []locallog.KeptPage) {
	var more []locallog.KeptPage
	frames := map[string][]byte{}
	for i, all := range n.kept.Pages {
		if len(n.frames) == i {
			e := locallog.NewRecord(locallog.KindKept, 256<<10)
			own.WriteKept(e, all)
			n.frames = append(n.frames, locallog.Finish(e))
		}
		name := locallog.KeptName(n.Next.LSN, i)
		frames[name] = n.frames[i]
		more = append(more, n.kept.Named(i, name, len(n.frames[i])))
	}
	there := map[string]bool{} // of a database that was taken away, nothing is
	for i := range base.Kept {
		there[base.Kept[i].Name] = true
	}
	for _, p := range n.lasting(more) {
		if frame := frames[p.Name]; frame != nil {
			n.out.Pages = append(n.out.Pages, locallog.Page{Name: p.Name, Bytes: frame})
		} else if !there[p.Name] {
			continue
		}
		out = append(out, p)
	}
	return out
}

// Place says where the checkpoint will stand, and what it holds beside the state.
func (n *Snapshot) Place(lsn locallog.LSN, beside Beside) {
	n.Next.LSN, n.shown = lsn, ""
	n.kept, n.frames, n.lasting = beside.Kept().Cut(), nil, beside.Kept().Lasting
	n.rest, n.out.Spare = beside.Rest(&n.kept), beside.Spare()
}

// Show says what is shown at that place beside the rows of the pages: a JSON object.
func (n *Snapshot) Show(text string) { n.shown = text }
