package client

import (
	"bufio"
	"context"
	"encoding/json"
	"mime"
	"net/http"
	"strings"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
)

// silence is for how long the connection for hints may say nothing: the server says something every 25 s.
var silence = plan.Idle{First: 60_000, Next: 60_000}

// listen makes the connection for hints, in the place of the last one. The caller holds mu.
func (db *DB) listen(l *plan.Listen) {
	if db.ear != nil {
		db.ear()
		db.ear = nil
	}
	if l.About.Len() == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	db.ear = cancel
	about := protocol.AppendTopics(nil, &l.About)
	db.works.Add(1)
	go func() {
		defer db.works.Done()
		err := db.hear(ctx, l.Op, about)
		if ctx.Err() == nil { // else another one has its place
			db.happened(&plan.HintsEnded{Op: l.Op, Err: err})
		}
	}()
}

func (db *DB) hear(ctx context.Context, op plan.Op, about []byte) error {
	resp, ctx, alive, stop, err := db.send(ctx, silence, http.MethodPost, db.url+"/events", about, map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream"})
	defer stop()
	if err != nil {
		return wayError(ctx, err)
	}
	defer resp.Body.Close()
	alive()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); resp.StatusCode != http.StatusOK || kind != "text/event-stream" {
		_, err := problemOf(ctx, resp)
		return err
	}
	event := ""
	for lines := bufio.NewReaderSize(resp.Body, 8<<10); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return wayError(ctx, err)
		}
		alive()
		name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "event":
			event = value
		case "data":
			var hint struct {
				Stream string
				Head   uint64
			}
			if event == "head" && json.Unmarshal([]byte(value), &hint) == nil && hint.Stream != "" && hint.Head <= action.MaxInteger {
				db.happened(&plan.Hinted{Op: op, Hint: protocol.Hint{Stream: hint.Stream, Head: hint.Head}})
			}
		case "":
			event = ""
		}
	}
}
