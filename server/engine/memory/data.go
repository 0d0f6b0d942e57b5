package memory

import (
	"context"
	"maps"
	"slices"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// data is all data streams.
type data struct {
	streams  map[uint64]*dataStream
	names    map[string]uint64
	uploads  map[uint64][]byte
	last     uint64 // id that was given to a stream
	lastPart uint64 // id that was given to an upload
}

type dataStream struct {
	engine.DataStream
	entries   []engine.DataEntry
	producers map[string]engine.Producer
	uploads   map[string]engine.Upload
}

func newData() *data {
	return &data{streams: map[uint64]*dataStream{}, names: map[string]uint64{}, uploads: map[uint64][]byte{}}
}

func (d *data) clone() *data {
	c := &data{streams: map[uint64]*dataStream{}, names: maps.Clone(d.names), uploads: maps.Clone(d.uploads), last: d.last, lastPart: d.lastPart}
	for id, s := range d.streams {
		c.streams[id] = &dataStream{s.DataStream, slices.Clone(s.entries), maps.Clone(s.producers), maps.Clone(s.uploads)}
	}
	return c
}

// UpdateData implements engine.DataEngine.
func (e *Engine) UpdateData(_ context.Context, do func(tx engine.DataTx) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return engine.ErrClosed
	}
	return do(e.data)
}

// ViewData implements engine.DataEngine.
func (e *Engine) ViewData(ctx context.Context, do func(tx engine.DataTx) error) error {
	return e.UpdateData(ctx, do)
}

func (d *data) DataStream(name string) (*engine.DataStream, error) {
	id, there := d.names[name]
	if !there {
		return nil, nil
	}
	return d.DataStreamAt(id)
}

func (d *data) DataStreamAt(id uint64) (*engine.DataStream, error) {
	s := d.streams[id]
	if s == nil {
		return nil, nil
	}
	c := s.DataStream
	return &c, nil
}

func (d *data) CreateData(s *engine.DataStream) error {
	d.last++
	s.ID = d.last
	d.streams[s.ID] = &dataStream{DataStream: *s, producers: map[string]engine.Producer{}, uploads: map[string]engine.Upload{}}
	d.names[s.Name] = s.ID
	return nil
}

func (d *data) PutData(s *engine.DataStream) error {
	d.streams[s.ID].DataStream = *s
	return nil
}

func (d *data) RemoveData(s *engine.DataStream) error {
	for _, en := range d.streams[s.ID].entries {
		delete(d.uploads, en.Upload)
	}
	for _, u := range d.streams[s.ID].uploads {
		delete(d.uploads, u.ID)
	}
	delete(d.streams, s.ID)
	delete(d.names, s.Name)
	return nil
}

func (d *data) DataForks(id uint64) (n int, err error) {
	for _, s := range d.streams {
		if s.Source == id {
			n++
		}
	}
	return n, nil
}

func (d *data) DataNames(after string, limit int) (names []string, err error) {
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		if name > after && len(names) < limit {
			names = append(names, name)
		}
	}
	return names, nil
}

func (d *data) DataExpired(before int64, limit int) (names []string, err error) {
	for _, s := range d.streams {
		if s.Expires != 0 && s.Expires <= before && len(names) < limit {
			names = append(names, s.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func (d *data) AppendData(id uint64, entries []engine.DataEntry) error {
	s := d.streams[id]
	for _, en := range entries {
		en.Body = slices.Clone(en.Body)
		s.entries = append(s.entries, en)
		maps.DeleteFunc(s.uploads, func(_ string, u engine.Upload) bool { return en.Upload != 0 && u.ID == en.Upload })
	}
	return nil
}

func (d *data) ReadData(id, after uint64, limit, maxBytes, maxBody int) (out []engine.DataEntry, err error) {
	for _, en := range d.streams[id].entries {
		if en.Index <= after || len(out) == limit {
			continue
		}
		if en.Size <= int64(maxBody) {
			if maxBytes -= int(en.Size); maxBytes < 0 && len(out) > 0 {
				break
			}
			if en.Upload != 0 {
				en.Body, en.Upload = d.uploads[en.Upload], 0
			}
		} else {
			en.Body = nil
		}
		out = append(out, en)
	}
	return out, nil
}

func (d *data) DataBytes(id, index uint64, from int64, n int) ([]byte, error) {
	for _, en := range d.streams[id].entries {
		if en.Index == index {
			body := en.Body
			if en.Upload != 0 {
				body = d.uploads[en.Upload]
			}
			start := int(min(from, int64(len(body))))
			return slices.Clone(body[start:min(len(body), start+n)]), nil
		}
	}
	return nil, nil
}

func (d *data) FindData(id uint64, entry action.UUID) (uint64, error) {
	for _, en := range d.streams[id].entries {
		if en.ID == entry && entry != action.Nil {
			return en.Index, nil
		}
	}
	return 0, nil
}

func (d *data) Producer(id uint64, name string) (*engine.Producer, error) {
	if p, there := d.streams[id].producers[name]; there {
		return &p, nil
	}
	return nil, nil
}

func (d *data) PutProducer(id uint64, name string, p engine.Producer) error {
	d.streams[id].producers[name] = p
	return nil
}

func (d *data) Upload(id uint64, producer string) (*engine.Upload, error) {
	if u, there := d.streams[id].uploads[producer]; there {
		return &u, nil
	}
	return nil, nil
}

func (d *data) PutUpload(id uint64, producer string, u engine.Upload, part []byte) error {
	s := d.streams[id]
	if u.Size == 0 {
		if was, there := s.uploads[producer]; there {
			delete(d.uploads, was.ID)
		}
		d.lastPart++
		u.ID = d.lastPart
	}
	d.uploads[u.ID] = append(slices.Clone(d.uploads[u.ID]), part...)
	u.Size += int64(len(part))
	s.uploads[producer] = u
	return nil
}

func (d *data) DropUploads(before int64) error {
	for _, s := range d.streams {
		maps.DeleteFunc(s.uploads, func(_ string, u engine.Upload) bool {
			if u.At < before {
				delete(d.uploads, u.ID)
			}
			return u.At < before
		})
	}
	return nil
}
