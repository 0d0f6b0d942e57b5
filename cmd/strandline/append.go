package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core"
)

// appendActions makes an action of each line of the standard input, and prints the index and the id that each has got.
func appendActions(args []string) error {
	flags := flag.NewFlagSet("strandline append", flag.ExitOnError)
	r, err := parseRemote(flags, args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return r.append(ctx, os.Stdin, os.Stdout)
}

const (
	appendBatch = 500 // lines of one request
	appendTries = 5   // of one request that does not get through
)

// appender is a client of its own: it follows the log's head, not its entries.
type appender struct {
	*remote
	item core.SyncItem
	seq  uint64
}

func (r *remote) append(ctx context.Context, in io.Reader, out io.Writer) error {
	a := &appender{remote: r, item: core.SyncItem{Stream: r.stream, Client: core.UUID(uuid.New()), Limit: core.MaxEntries}}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 2*core.MaxActionBytes)
	for n, more := 0, true; more; {
		var batch []*core.Action
		bytes := 0
		for len(batch) < appendBatch && bytes < core.MaxRequestBytes/2 {
			if more = lines.Scan(); !more {
				break
			}
			n++
			if strings.TrimSpace(lines.Text()) == "" {
				continue
			}
			act, err := a.action(lines.Text())
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			batch = append(batch, act)
			bytes += len(act.Raw)
		}
		if err := a.push(ctx, batch, out); err != nil {
			return err
		}
	}
	return lines.Err()
}

// action makes one of a line: an op, or an array of ops, as JSON.
func (a *appender) action(line string) (*core.Action, error) {
	ops := strings.TrimSpace(line)
	if strings.HasPrefix(ops, "{") {
		ops = "[" + ops + "]"
	}
	if _, err := core.Canonical(ops, core.MaxDepth); err != nil { // so that no line can be more than ops
		return nil, err
	}
	a.seq++
	return core.DecodeAction(fmt.Sprintf(`{"id":"%s","client":"%s","seq":%d,"base":0,"at":"%s","ops":%s}`, uuid.Must(uuid.NewV7()),
		a.item.Client, a.seq, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), ops))
}

// push brings a batch into the log. After an answer that was lost the entries tell what came of it.
func (a *appender) push(ctx context.Context, batch []*core.Action, out io.Writer) error {
	left := map[core.UUID]bool{}
	for _, act := range batch {
		left[act.ID] = true
	}
	if a.item.After == 0 {
		if err := a.find(ctx); err != nil {
			return err
		}
	}
	for len(left) > 0 {
		a.item.Actions = nil
		for _, act := range batch {
			if left[act.ID] {
				a.item.Actions = append(a.item.Actions, act.Raw)
			}
		}
		text, err := a.patiently(ctx, http.MethodPost, "/sync", core.AppendSyncRequest(nil, []core.SyncItem{a.item}))
		if err != nil {
			return err
		}
		answers, err := core.DecodeSyncAnswer(text)
		if err != nil || len(answers) != 1 {
			return &core.Error{Code: core.CodeBadAnswer, Cause: err}
		}
		ans := &answers[0]
		if ans.Err != nil {
			return ans.Err
		}
		if ans.Offer != nil && len(ans.Entries) == 0 { // what comes next is not kept any more
			if err := a.find(ctx); err != nil {
				return err
			}
			continue
		}
		took := func(id core.UUID, index uint64) {
			if left[id] {
				delete(left, id)
				fmt.Fprintln(out, index, id)
			}
		}
		for _, e := range ans.Entries {
			act, err := core.DecodeAction(e.Action)
			if err != nil {
				return &core.Error{Code: core.CodeBadAnswer, Cause: err}
			}
			took(act.ID, e.Index)
		}
		for _, p := range ans.Persisted {
			took(p.ID, p.Index)
		}
		if len(ans.Rejected) > 0 {
			return &core.Error{Code: ans.Rejected[0].Code, Message: ans.Rejected[0].Message + "; what came before it is in the log, what comes after it is not"}
		}
		a.item.After += uint64(len(ans.Entries) + len(ans.Persisted))
		a.item.Epoch, a.item.Chain = ans.Epoch, ans.Chain
	}
	return nil
}

// patiently makes a request again where it does not get through.
func (a *appender) patiently(ctx context.Context, method, path string, body []byte) (text string, err error) {
	for range appendTries {
		if text, err = a.whole(ctx, method, path, body); err == nil || !retryable(err) {
			break
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return text, err
}

// find goes to the head of the log.
func (a *appender) find(ctx context.Context) error {
	for {
		text, err := a.patiently(ctx, http.MethodGet, "/log?limit=1&stream="+url.QueryEscape(a.stream)+"&after="+strconv.FormatUint(a.item.After, 10), nil)
		if err != nil {
			return err
		}
		answers, err := core.DecodeSyncAnswer(`{"streams":[` + text + `]}`)
		if err != nil || len(answers) != 1 {
			return &core.Error{Code: core.CodeBadAnswer, Cause: err}
		}
		ans := &answers[0]
		if a.item.After == ans.Head {
			a.item.Epoch, a.item.Chain = ans.Epoch, ans.Chain
			return nil
		}
		a.item.After = ans.Head
	}
}
