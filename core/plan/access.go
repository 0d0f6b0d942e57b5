package plan

import (
	"context"

	"github.com/strandline-sync/strandline/core/locallog"
)

// StoreName tells the stores of a database apart.
type StoreName uint8

const (
	Database StoreName = iota // the one that the host has opened
	Refuge                    // one in memory, which the host makes when it is named for the first time
)

// AccessKind is what is asked of a store.
type AccessKind uint8

const (
	Load         AccessKind = iota // Stream, LSN: Loaded
	Append                         // Stream, LSN, Record, Shown: Stored
	Show                           // Stream, Shown, one: Stored
	ReadManifest                   // Stream: ManifestRead
	ReadPages                      // Stream, Names: PagesRead
	ReadRemains                    // Stream: RemainsRead
	Replace                        // Stream, Checkpoint: Stored
	ListStreams                    // Listed
	Wipe                           // Next: Stored; it closes the store, too
	Release                        // closes it: Stored
)

// Access is one call of a store.
type Access struct {
	Op         Op
	Store      StoreName
	Kind       AccessKind
	Stream     string
	LSN        locallog.LSN
	Record     []byte
	Shown      []locallog.Shown
	Checkpoint *locallog.Checkpoint
	Names      []string
	Next       map[string]locallog.LSN
}

// Run carries it out. It may block, and is called off the host's thread then.
func (a *Access) Run(store locallog.Store) Event {
	ctx := context.Background()
	var err error
	switch a.Kind {
	case Load:
		e := &Loaded{Op: a.Op}
		e.Log, e.Err = store.Load(ctx, a.Stream, a.LSN)
		return e
	case ReadManifest:
		e := &ManifestRead{Op: a.Op}
		e.Raw, e.Err = store.Manifest(ctx, a.Stream)
		return e
	case ReadPages:
		e := &PagesRead{Op: a.Op}
		e.Pages, e.Err = store.Pages(ctx, a.Stream, a.Names)
		return e
	case ReadRemains:
		e := &RemainsRead{Op: a.Op}
		e.Remains, e.Err = store.Remains(ctx, a.Stream)
		return e
	case ListStreams:
		e := &Listed{Op: a.Op}
		e.Names, e.Err = store.Streams(ctx)
		return e
	case Append:
		err = store.Append(ctx, a.Stream, a.LSN, a.Record, a.Shown...)
	case Show:
		err = store.Show(ctx, a.Stream, a.Shown[0])
	case Replace:
		err = store.Checkpoint(ctx, a.Stream, a.Checkpoint)
	case Wipe:
		err = store.Destroy(ctx, a.Next)
	case Release:
		err = store.Close()
	}
	return &Stored{a.Op, err}
}
