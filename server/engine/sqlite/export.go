package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server/engine"
)

// Which says what is exported. The zero value is all.
type Which struct {
	Principal string                   // whose entries, of streams that are not its own; empty: everybody's
	Theirs    func(stream string) bool // which streams are its own, and are exported whole
}

func (w *Which) whole(stream string) bool {
	return w.Principal == "" || w.Theirs != nil && w.Theirs(stream)
}

// Export writes what a data directory holds as JSON lines, as it stood at one moment, while a server uses it or not. Each line is an object of one member,
// which says what it is:
//
//	log         a log: stream, epoch, head, chain, oldest; its checkpoint and entries follow
//	checkpoint  where entries are not kept: index, chain, epoch; the state's lines follow, and stand for the entries up to there
//	state       a line of that checkpoint, as docs/PROTOCOL.md has it
//	entry       index, stored, by, action
//	data        a data stream: stream, head, tail, meta; its entries follow. source: it is a fork, and what it has of its source is not repeated
//	item        an entry of a data stream: index, end, stored, by, id, body in base64
func Export(ctx context.Context, dir string, to io.Writer, w Which) error {
	path := filepath.Join(dir, "strandline.db")
	if _, err := os.Stat(path); err != nil {
		return err
	}
	db, err := openToRead(path)
	if err != nil {
		return err
	}
	defer db.Close()
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return cause(err)
	}
	if version != Format {
		return fmt.Errorf("%s has the format %d, and this program exports %d: a server of this version brings an older one up", path, version, Format)
	}
	tx, err := db.BeginTx(ctx, nil) // one moment
	if err != nil {
		return cause(err)
	}
	defer tx.Rollback()
	x := &exporting{ctx: ctx, tx: tx, out: bufio.NewWriterSize(to, 1<<16), which: w}
	if err := x.logs(); err != nil {
		return cause(err)
	}
	if err := x.data(); err != nil {
		return cause(err)
	}
	return x.out.Flush()
}

type exporting struct {
	ctx   context.Context
	tx    *sql.Tx
	out   *bufio.Writer
	which Which
}

// line writes one, of a value that JSON can say.
func (x *exporting) line(kind string, value any) error {
	b, err := json.Marshal(map[string]any{kind: value})
	if err != nil {
		return err
	}
	_, err = x.out.Write(append(b, '\n'))
	return err
}

func (x *exporting) logs() error {
	for after := "\x01"; ; {
		names, err := column[string](x.ctx, x.tx, "SELECT name FROM streams WHERE name > ? AND head > 0 ORDER BY name LIMIT 1000", after)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := x.log(name); err != nil {
				return fmt.Errorf("export a log: %w", err)
			}
		}
		after = names[len(names)-1]
	}
}

func (x *exporting) log(name string) error {
	log, err := readLog(x.ctx, x.tx, name)
	if err != nil || log.Head == 0 {
		return err
	}
	whole, told := x.which.whole(name), false
	tell := func() error {
		if told {
			return nil
		}
		told = true
		return x.line("log", map[string]any{"stream": name, "epoch": log.Epoch.String(), "head": log.Head, "chain": string(log.Chain.Append(nil)), "oldest": log.Oldest})
	}
	id, err := streamID(x.ctx, x.tx, name)
	if err != nil {
		return err
	}
	if whole {
		if err := tell(); err != nil {
			return err
		}
		if log.Oldest > 1 {
			if err := x.checkpoint(id, log); err != nil {
				return err
			}
		}
	}
	query, args := "SELECT idx, stored, by, body FROM entries WHERE stream = ? ORDER BY idx", []any{id}
	if !whole {
		query, args = "SELECT idx, stored, by, body FROM entries WHERE stream = ? AND by = ? ORDER BY idx", []any{id, x.which.Principal}
	}
	rows, err := x.tx.QueryContext(x.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var index uint64
		var stored int64
		var by, body string
		if err := rows.Scan(&index, &stored, &by, &body); err != nil {
			return err
		}
		if err := tell(); err != nil {
			return err
		}
		if err := x.line("entry", map[string]any{"index": index, "stored": timeOf(stored), "by": by, "action": json.RawMessage(body)}); err != nil {
			return err
		}
	}
	return rows.Err()
}

func timeOf(milliseconds int64) string {
	return time.UnixMilli(milliseconds).UTC().Format("2006-01-02T15:04:05.000Z")
}

// checkpoint writes the newest one.
func (x *exporting) checkpoint(id int64, log engine.Log) error {
	var index uint64
	var chain int64
	var packed []byte
	if err := x.tx.QueryRowContext(x.ctx, "SELECT idx, chain, packed FROM checkpoints WHERE stream = ? ORDER BY idx DESC LIMIT 1", id).Scan(&index, &chain, &packed); err != nil {
		return err
	}
	if err := x.line("checkpoint", map[string]any{"index": index, "epoch": log.Epoch.String(), "chain": string(action.Chain(chain).Append(nil))}); err != nil {
		return err
	}
	text, err := (&engine.Checkpoint{Packed: packed}).Text()
	if err != nil {
		return err
	}
	for len(text) > 0 {
		line := text
		for i, c := range text {
			if c == '\n' {
				line = text[:i]
				break
			}
		}
		if err := x.line("state", json.RawMessage(line)); err != nil {
			return err
		}
		text = text[min(len(text), len(line)+1):]
	}
	return nil
}

func (x *exporting) data() error {
	var generation string
	_ = x.tx.QueryRowContext(x.ctx, "SELECT value FROM meta WHERE key = 'generation'").Scan(&generation)
	g, _ := strconv.ParseUint(generation, 10, 64)
	t := &dataTx{ctx: x.ctx, tx: x.tx, generation: g}
	for after := ""; ; {
		names, err := t.DataNames(after, 1000)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, name := range names {
			if err := x.stream(t, name); err != nil {
				return fmt.Errorf("export a data stream: %w", err)
			}
		}
		after = names[len(names)-1]
	}
}

func (x *exporting) stream(t *dataTx, name string) error {
	d, err := t.DataStream(name)
	if err != nil || d == nil {
		return err
	}
	whole, told := x.which.whole(name), false
	tell := func() error {
		if told {
			return nil
		}
		told = true
		var meta map[string]any
		if err := json.Unmarshal(d.Meta, &meta); err != nil {
			return err
		}
		if x.which.Principal != "" {
			delete(meta, "closedBy")
		}
		about := map[string]any{"stream": name, "head": d.Head, "tail": d.Tail, "meta": meta}
		if x.which.Principal == "" || x.which.Principal == d.By { // nobody hears of others
			about["by"] = d.By
		}
		if d.Source != 0 {
			source, err := t.DataStreamAt(d.Source)
			if err != nil {
				return err
			}
			if source != nil {
				about["source"] = source.Name
			}
		}
		return x.line("data", about)
	}
	if whole {
		if err := tell(); err != nil {
			return err
		}
	}
	for after := uint64(0); ; {
		entries, err := t.ReadData(d.ID, after, 256, 4<<20, 0)
		if err != nil || len(entries) == 0 {
			return err
		}
		for i := range entries {
			en := &entries[i]
			after = en.Index
			if !whole && en.By != x.which.Principal {
				continue
			}
			if err := tell(); err != nil {
				return err
			}
			if err := x.item(t, d, en); err != nil {
				return err
			}
		}
	}
}

// item writes an entry, however long it is, in parts.
func (x *exporting) item(t *dataTx, d *engine.DataStream, en *engine.DataEntry) error {
	head := map[string]any{"index": en.Index, "end": en.End, "stored": timeOf(en.Stored), "by": en.By}
	if en.ID != action.Nil {
		head["id"] = en.ID.String()
	}
	b, err := json.Marshal(head)
	if err != nil {
		return err
	}
	x.out.WriteString(`{"item":`)
	x.out.Write(b[:len(b)-1])
	x.out.WriteString(`,"body":"`)
	w := base64.NewEncoder(base64.StdEncoding, x.out)
	for at := int64(0); at < en.Size; {
		part, err := t.DataBytes(d.ID, en.Index, at, 1<<20)
		if err != nil {
			return err
		}
		if len(part) == 0 {
			return fmt.Errorf("entry %d of a data stream lacks bytes", en.Index)
		}
		w.Write(part) // bufio keeps the first error
		at += int64(len(part))
	}
	w.Close()
	_, err = x.out.WriteString("\"}}\n")
	return err
}
