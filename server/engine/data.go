package engine

import (
	"context"

	"github.com/strandline-sync/strandline/core/action"
)

// DataEngine keeps the data streams. It is a part of every Engine, and shares its commits.
type DataEngine interface {
	// UpdateData runs do alone, and makes what it wrote durable before it returns: one step together with what others do meanwhile.
	// What do looks at first and refuses, by an error, it must refuse before it writes anything; its error is given back.
	// do may run again after a failure of the engine. It neither waits nor keeps tx.
	UpdateData(ctx context.Context, do func(tx DataTx) error) error

	// ViewData runs do over one moment of the data streams, in which all that was acknowledged before the call is there. do only reads.
	ViewData(ctx context.Context, do func(tx DataTx) error) error
}

// DataTx is one step over the data streams.
type DataTx interface {
	// DataStream gives a stream by name, DataStreamAt by id; nil where there is none.
	DataStream(name string) (*DataStream, error)
	DataStreamAt(id uint64) (*DataStream, error)
	// CreateData adds a stream under an id that was never another's, which it sets.
	CreateData(d *DataStream) error
	// PutData replaces what is kept of a stream, beside its entries.
	PutData(d *DataStream) error
	// RemoveData forgets a stream for good, with its entries, producers and uploads.
	RemoveData(d *DataStream) error
	// DataForks counts the streams whose source is the one of the id.
	DataForks(id uint64) (int, error)
	// DataNames lists streams by name, from the first name behind after on, at most limit of them, also those that are softly deleted.
	DataNames(after string, limit int) ([]string, error)
	// DataExpired names the streams whose Expires is at or before a time.
	DataExpired(before int64, limit int) ([]string, error)

	// AppendData adds entries, with indexes and ends that follow the last one's. An entry of an upload takes its bytes over.
	AppendData(id uint64, entries []DataEntry) error
	// ReadData gives entries after an index, in order, at most limit and about maxBytes (at least one). Body is nil where an entry
	// has more than maxBody bytes: DataBytes reads these.
	ReadData(id, after uint64, limit, maxBytes, maxBody int) ([]DataEntry, error)
	// DataBytes gives at most n bytes of an entry, from one of them on.
	DataBytes(id, index uint64, from int64, n int) ([]byte, error)
	// FindData gives the index of the entry with an id of its writer's choice; 0 where there is none.
	FindData(id uint64, entry action.UUID) (uint64, error)

	// Producer gives how far a producer has come; nil for one that is not known.
	Producer(id uint64, name string) (*Producer, error)
	PutProducer(id uint64, name string, p Producer) error

	// Upload gives the entry that a producer is sending in parts; nil where there is none. PutUpload adds a part to it, or, with a part
	// at 0, begins it anew in the place of the producer's last one. DropUploads forgets those that were begun before a time.
	Upload(id uint64, producer string) (*Upload, error)
	PutUpload(id uint64, producer string, u Upload, part []byte) error
	DropUploads(before int64) error
}

// DataStream is what is kept of a data stream.
type DataStream struct {
	ID      uint64 // also the first part of its offsets
	Name    string
	Source  uint64 // the stream that it was forked from; 0: none
	Deleted bool   // softly: only forks read it
	Head    uint64 // its entries, with those of its source
	Tail    uint64 // their bytes
	By      string // subject of the principal that made it
	Expires int64  // Unix milliseconds from which on it is looked at by the sweep; 0: never
	Meta    []byte // the server's own
}

// DataEntry is one message of a data stream.
type DataEntry struct {
	Index  uint64
	End    uint64 // of its bytes, in those of the stream
	Size   int64
	ID     action.UUID // of its writer's choice; Nil: none
	Stored int64       // Unix milliseconds
	By     string      // subject of the principal
	Body   []byte
	Upload uint64 // where not 0, its bytes are those of the upload, and Body is nil
}

// Start is where the entry's bytes begin.
func (e *DataEntry) Start() uint64 { return e.End - uint64(e.Size) }

// Producer is how far a producer has come in one stream.
type Producer struct{ Epoch, Seq uint64 }

// Upload is an entry that comes in parts.
type Upload struct {
	ID         uint64 // the engine's
	Epoch, Seq uint64 // of the producer
	Entry      action.UUID
	Size       int64 // that is there
	At         int64 // when it was begun, Unix milliseconds
}
