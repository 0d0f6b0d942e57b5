package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// An id of a data stream is never used again: it is the first part of its offsets. An entry's end and index count those of the sources
// of a fork too.
const dataSchema = `
CREATE TABLE IF NOT EXISTS data_streams (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	name    TEXT NOT NULL UNIQUE,
	source  INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	head    INTEGER NOT NULL,
	tail    INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	meta    BLOB NOT NULL,
	by      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS data_sources ON data_streams (source) WHERE source <> 0;
CREATE INDEX IF NOT EXISTS data_expiries ON data_streams (expires) WHERE expires <> 0;
CREATE TABLE IF NOT EXISTS data_entries (
	stream INTEGER NOT NULL,
	idx    INTEGER NOT NULL,
	end    INTEGER NOT NULL,
	size   INTEGER NOT NULL,
	id     BLOB,
	stored INTEGER NOT NULL,
	by     TEXT NOT NULL,
	upload INTEGER NOT NULL,
	body   BLOB,
	sum    INTEGER, -- CRC-32C of the body; NULL in rows of earlier formats
	PRIMARY KEY (stream, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS data_ids ON data_entries (stream, id) WHERE id IS NOT NULL;
CREATE TABLE IF NOT EXISTS data_producers (
	stream INTEGER NOT NULL,
	name   TEXT NOT NULL,
	epoch  INTEGER NOT NULL,
	seq    INTEGER NOT NULL,
	PRIMARY KEY (stream, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS data_uploads (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	stream   INTEGER NOT NULL,
	producer TEXT NOT NULL,
	epoch    INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	entry    BLOB NOT NULL,
	size     INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	UNIQUE (stream, producer)
) STRICT;
CREATE TABLE IF NOT EXISTS data_parts (
	upload INTEGER NOT NULL,
	end    INTEGER NOT NULL,
	body   BLOB NOT NULL,
	sum    INTEGER,
	PRIMARY KEY (upload, end)
) STRICT, WITHOUT ROWID;
`

// UpdateData implements engine.DataEngine: do runs among the writes that share a commit.
func (e *Engine) UpdateData(_ context.Context, do func(tx engine.DataTx) error) error {
	var removed bool
	err := e.submit(1, func(ctx context.Context, tx *writeTx) (conflict, err error) {
		t := &dataTx{ctx: ctx, tx: tx.Tx, generation: e.generation, write: tx}
		refused := do(t)
		removed = t.removed
		return refused, t.failed
	})
	if removed {
		e.bury()
	}
	return err
}

// ViewData implements engine.DataEngine.
func (e *Engine) ViewData(ctx context.Context, do func(tx engine.DataTx) error) error {
	tx, err := e.read.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	defer tx.Rollback()
	return do(&dataTx{ctx: ctx, tx: tx, generation: e.generation})
}

// dataTx implements engine.DataTx.
type dataTx struct {
	ctx        context.Context
	generation uint64 // of ids
	tx         *sql.Tx
	write      *writeTx  // nil for one who only reads
	failed     error     // the engine's, which undoes the whole commit
	removed    bool      // something whose rows are to follow
	find       *sql.Stmt // of an entry by its id
}

func (t *dataTx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

func (t *dataTx) exec(query string, args ...any) (sql.Result, error) {
	done, err := t.tx.ExecContext(t.ctx, query, args...)
	return done, t.fail(err)
}

// row reads one row into dest; found is false where there is none.
func (t *dataTx) row(dest []any, query string, args ...any) (found bool, err error) {
	err = t.tx.QueryRowContext(t.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.fail(err)
}

// rows calls each with a function that reads the row.
func (t *dataTx) rows(each func(scan func(...any) error) (more bool, err error), query string, args ...any) error {
	rows, err := t.tx.QueryContext(t.ctx, query, args...)
	if err != nil {
		return t.fail(err)
	}
	defer rows.Close()
	for rows.Next() {
		more, err := each(rows.Scan)
		if err != nil {
			return t.fail(err)
		}
		if !more {
			return nil
		}
	}
	return t.fail(rows.Err())
}

const dataColumns = "SELECT id, name, source, deleted, head, tail, expires, meta, by FROM data_streams "

func dataDest(d *engine.DataStream) []any {
	return []any{&d.ID, &d.Name, &d.Source, &d.Deleted, &d.Head, &d.Tail, &d.Expires, &d.Meta, &d.By}
}

// An id carries the generation of the database: after a restore no offset of before is one of after. Within the database it is without.
const generationBits = 36

// local is an id as the database has it, a row's that is not there where it is of another generation.
func (t *dataTx) local(id uint64) int64 {
	if id == 0 || id>>generationBits == t.generation {
		return int64(id & (1<<generationBits - 1))
	}
	return -1
}

func (t *dataTx) global(id uint64) uint64 {
	if id == 0 {
		return 0
	}
	return id | t.generation<<generationBits
}

func (t *dataTx) one(query string, arg any) (*engine.DataStream, error) {
	d := new(engine.DataStream)
	found, err := t.row(dataDest(d), dataColumns+query, arg)
	if err != nil || !found {
		return nil, err
	}
	d.ID, d.Source = t.global(d.ID), t.global(d.Source)
	return d, nil
}

func (t *dataTx) DataStream(name string) (*engine.DataStream, error) {
	return t.one("WHERE name = ?", name)
}

func (t *dataTx) DataStreamAt(id uint64) (*engine.DataStream, error) {
	return t.one("WHERE id = ? AND name >= char(1)", t.local(id))
}

func (t *dataTx) CreateData(d *engine.DataStream) error {
	done, err := t.exec("INSERT INTO data_streams (name, source, deleted, head, tail, expires, meta, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		d.Name, t.local(d.Source), d.Deleted, int64(d.Head), int64(d.Tail), d.Expires, d.Meta, d.By)
	if err != nil {
		return err
	}
	t.write.use(d.By).Streams++
	id, err := done.LastInsertId()
	d.ID = t.global(uint64(id))
	return t.fail(err)
}

func (t *dataTx) PutData(d *engine.DataStream) error {
	if d.Deleted {
		t.write.deletions = append(t.write.deletions, deletion{Data: t.local(d.ID), Name: hashed(d.Name), Generation: t.generation, Soft: true})
	}
	_, err := t.exec("UPDATE data_streams SET deleted = ?, head = ?, tail = ?, expires = ?, meta = ? WHERE id = ?",
		d.Deleted, int64(d.Head), int64(d.Tail), d.Expires, d.Meta, t.local(d.ID))
	return err
}

// RemoveData takes the stream's name away; what it held follows in commits of its own: appends wait for a commit.
func (t *dataTx) RemoveData(d *engine.DataStream) error {
	_, err := t.exec("UPDATE data_streams SET name = ? || id, source = 0, deleted = 1, expires = 0 WHERE id = ?", deletedNames, t.local(d.ID))
	t.removed = true
	t.write.use(d.By).Streams--
	t.write.deletions = append(t.write.deletions, deletion{Data: t.local(d.ID), Name: hashed(d.Name), Generation: t.generation})
	return err
}

func (t *dataTx) DataForks(id uint64) (n int, err error) {
	_, err = t.row([]any{&n}, "SELECT count(*) FROM data_streams WHERE source = ? AND source <> 0", t.local(id))
	return n, err
}

func (t *dataTx) DataNames(after string, limit int) ([]string, error) {
	return t.names("SELECT name FROM data_streams WHERE name > ? ORDER BY name LIMIT ?", max(after, "\x01"), limit)
}

func (t *dataTx) names(query string, args ...any) (names []string, err error) {
	err = t.rows(func(scan func(...any) error) (bool, error) {
		var name string
		err := scan(&name)
		names = append(names, name)
		return true, err
	}, query, args...)
	return names, err
}

func (t *dataTx) DataExpired(before int64, limit int) ([]string, error) {
	return t.names("SELECT name FROM data_streams WHERE expires <> 0 AND expires <= ? LIMIT ?", before, limit)
}

func (t *dataTx) AppendData(id uint64, entries []engine.DataEntry) error {
	if len(entries) == 0 {
		return nil
	}
	insert, err := t.tx.PrepareContext(t.ctx, "INSERT INTO data_entries (stream, idx, end, size, id, stored, by, upload, body, sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return t.fail(err)
	}
	defer insert.Close()
	t.write.rows += len(entries)
	for i := range entries {
		en := &entries[i]
		t.write.bytes += len(en.Body)
		t.write.use(en.By).Data += en.Size
		var chosen []byte
		if en.ID != action.Nil {
			chosen = en.ID[:]
		}
		if _, err := insert.ExecContext(t.ctx, t.local(id), int64(en.Index), int64(en.End), en.Size, chosen, en.Stored, en.By, int64(en.Upload), en.Body, sumOf(en.Body)); err != nil {
			return t.fail(err)
		}
		if en.Upload != 0 {
			if _, err := t.exec("DELETE FROM data_uploads WHERE id = ?", int64(en.Upload)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *dataTx) ReadData(id, after uint64, limit, maxBytes, maxBody int) (out []engine.DataEntry, err error) {
	err = t.rows(func(scan func(...any) error) (bool, error) {
		var en engine.DataEntry
		var chosen []byte
		var sum sql.NullInt64
		if err := scan(&en.Index, &en.End, &en.Size, &chosen, &en.Stored, &en.By, &en.Upload, &en.Body, &sum); err != nil {
			return false, err
		}
		if en.Body != nil && !intact(en.Body, sum) {
			return false, errChanged
		}
		copy(en.ID[:], chosen)
		if en.Size <= int64(maxBody) {
			maxBytes -= int(en.Size)
		}
		if maxBytes < 0 && len(out) > 0 {
			return false, nil
		}
		out = append(out, en)
		return true, nil
	}, `SELECT idx, end, size, id, stored, by, upload, CASE WHEN size <= ? THEN body END, sum FROM data_entries
		WHERE stream = ? AND idx > ? ORDER BY idx LIMIT ?`, maxBody, t.local(id), int64(after), limit)
	if err != nil {
		return nil, err
	}
	for i := range out { // a small upload: its one part, or few
		if en := &out[i]; en.Upload != 0 && en.Size <= int64(maxBody) {
			if en.Body, err = t.parts(en.Upload, 0, int(en.Size)); err != nil {
				return nil, err
			}
			en.Upload = 0
		}
	}
	return out, nil
}

func (t *dataTx) DataBytes(id, index uint64, from int64, n int) (b []byte, err error) {
	var upload uint64
	var sum sql.NullInt64
	if _, err := t.row([]any{&upload, &b, &sum}, "SELECT upload, body, sum FROM data_entries WHERE stream = ? AND idx = ?", t.local(id), int64(index)); err != nil {
		return nil, err
	}
	if upload != 0 {
		return t.parts(upload, from, n)
	}
	if !intact(b, sum) {
		return nil, errChanged
	}
	b = b[min(from, int64(len(b))):]
	return b[:min(n, len(b))], nil
}

// parts reads bytes of what came in parts.
func (t *dataTx) parts(upload uint64, from int64, n int) (b []byte, err error) {
	err = t.rows(func(scan func(...any) error) (bool, error) {
		var end int64
		var body []byte
		var sum sql.NullInt64
		if err := scan(&end, &body, &sum); err != nil {
			return false, err
		}
		if !intact(body, sum) {
			return false, errChanged
		}
		if start := end - int64(len(body)); start < from {
			body = body[from-start:]
		}
		b = append(b, body[:min(len(body), n-len(b))]...)
		return len(b) < n, nil
	}, "SELECT end, body, sum FROM data_parts WHERE upload = ? AND end > ? ORDER BY end", int64(upload), from)
	return b, err
}

func (t *dataTx) FindData(id uint64, entry action.UUID) (index uint64, err error) {
	if t.find == nil { // asked for each entry of a batch; it is closed with the transaction
		if t.find, err = t.tx.PrepareContext(t.ctx, "SELECT idx FROM data_entries WHERE stream = ? AND id = ?"); err != nil {
			return 0, t.fail(err)
		}
	}
	if err = t.find.QueryRowContext(t.ctx, t.local(id), entry[:]).Scan(&index); errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return index, t.fail(err)
}

func (t *dataTx) Producer(id uint64, name string) (*engine.Producer, error) {
	p := new(engine.Producer)
	found, err := t.row([]any{&p.Epoch, &p.Seq}, "SELECT epoch, seq FROM data_producers WHERE stream = ? AND name = ?", t.local(id), name)
	if err != nil || !found {
		return nil, err
	}
	return p, nil
}

func (t *dataTx) PutProducer(id uint64, name string, p engine.Producer) error {
	_, err := t.exec("INSERT INTO data_producers (stream, name, epoch, seq) VALUES (?, ?, ?, ?) ON CONFLICT (stream, name) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq",
		t.local(id), name, int64(p.Epoch), int64(p.Seq))
	return err
}

func (t *dataTx) Upload(id uint64, producer string) (*engine.Upload, error) {
	u := new(engine.Upload)
	var entry []byte
	found, err := t.row([]any{&u.ID, &u.Epoch, &u.Seq, &entry, &u.Size, &u.At}, "SELECT id, epoch, seq, entry, size, at FROM data_uploads WHERE stream = ? AND producer = ?", t.local(id), producer)
	if err != nil || !found {
		return nil, err
	}
	copy(u.Entry[:], entry)
	return u, nil
}

func (t *dataTx) PutUpload(id uint64, producer string, u engine.Upload, part []byte) error {
	t.write.bytes += len(part)
	if u.Size == 0 {
		if err := t.dropUploads("stream = ? AND producer = ?", t.local(id), producer); err != nil {
			return err
		}
		done, err := t.exec("INSERT INTO data_uploads (stream, producer, epoch, seq, entry, size, at) VALUES (?, ?, ?, ?, ?, 0, ?)", t.local(id), producer, int64(u.Epoch), int64(u.Seq), u.Entry[:], u.At)
		if err != nil {
			return err
		}
		made, err := done.LastInsertId()
		if err != nil {
			return t.fail(err)
		}
		u.ID = uint64(made)
	}
	end := u.Size + int64(len(part))
	if _, err := t.exec("INSERT INTO data_parts (upload, end, body, sum) VALUES (?, ?, ?, ?)", int64(u.ID), end, part, sumOf(part)); err != nil {
		return err
	}
	_, err := t.exec("UPDATE data_uploads SET size = ? WHERE id = ?", end, int64(u.ID))
	return err
}

func (t *dataTx) DropUploads(before int64) error {
	return t.dropUploads("stream <> 0 AND at < ?", before)
}

// dropUploads takes uploads from their producers; their parts follow in commits of their own: appends wait for a commit.
func (t *dataTx) dropUploads(where string, args ...any) error {
	done, err := t.exec("UPDATE data_uploads SET stream = 0, producer = id WHERE "+where, args...)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	t.removed = t.removed || n > 0
	return t.fail(err)
}
