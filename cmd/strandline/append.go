package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
)

// appendActions makes an action of each line of the standard input, and prints the index and the id that each has got.
func appendActions(args []string) error {
	flags := newFlags("append")
	r, err := parseRemote(flags, args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	return r.append(ctx, os.Stdin, os.Stdout)
}

const (
	appendBatch = 500                   // lines of one request
	appendTries = 5                     // of one request that does not get through
	appendPause = 50 * time.Millisecond // for how long a line waits for more to come
)

// appender is a client of its own: it follows the log's head, not its entries.
type appender struct {
	*remote
	item protocol.SyncItem
	seq  uint64
}

func (r *remote) append(ctx context.Context, in io.Reader, out io.Writer) error {
	a := &appender{remote: r, item: protocol.SyncItem{Stream: r.stream, Client: action.UUID(uuid.New()), Limit: protocol.MaxEntries}}
	lines := make(chan line)
	go scan(ctx, in, lines)
	var end error
	for n := 0; end == nil; {
		var batch []*action.Action
		bytes := 0
		soon := make(<-chan time.Time) // never, until there is something to push
		for len(batch) < appendBatch && bytes < protocol.MaxRequestBytes/2 && end == nil {
			var l line
			select {
			case l = <-lines:
			case <-soon:
				l.nothing = true
			case <-ctx.Done():
				l.err = ctx.Err()
			}
			if l.nothing {
				break
			}
			if n++; l.err != nil {
				end = l.err
				if !errors.Is(end, io.EOF) && ctx.Err() == nil {
					end = fmt.Errorf("line %d: %w", n, end)
				}
				break
			}
			if strings.TrimSpace(l.text) == "" {
				continue
			}
			act, err := a.action(l.text)
			if err != nil {
				end = fmt.Errorf("line %d: %w", n, err)
				break
			}
			if batch = append(batch, act); len(batch) == 1 {
				soon = time.After(appendPause)
			}
			bytes += len(act.Raw)
		}
		// What was read is appended, whatever came after it.
		if err := a.push(context.WithoutCancel(ctx), batch, out); err != nil {
			return err
		}
	}
	if errors.Is(end, io.EOF) || ctx.Err() != nil {
		return nil
	}
	return end
}

// line is one of the input: its text, the end of it all as an error, or nothing for now.
type line struct {
	text    string
	err     error
	nothing bool
}

// scan hands over the input line by line; io.EOF is its end.
func scan(ctx context.Context, in io.Reader, lines chan<- line) {
	s := bufio.NewScanner(in)
	s.Buffer(nil, 2*action.MaxActionBytes)
	for more := true; more; {
		l := line{}
		if more = s.Scan(); more {
			l.text = s.Text()
		} else if l.err = s.Err(); l.err == nil {
			l.err = io.EOF
		}
		select {
		case lines <- l:
		case <-ctx.Done():
			return
		}
	}
}

// action makes one of a line: an op, or an array of ops, as JSON.
func (a *appender) action(line string) (*action.Action, error) {
	ops := strings.TrimSpace(line)
	if strings.HasPrefix(ops, "{") {
		ops = "[" + ops + "]"
	}
	if _, err := action.Canonical(ops, action.MaxDepth); err != nil { // so that no line can be more than ops
		return nil, err
	}
	if err := exactNumbers(ops); err != nil {
		return nil, err
	}
	a.seq++
	return action.DecodeAction(fmt.Sprintf(`{"id":"%s","client":"%s","seq":%d,"base":0,"at":"%s","ops":%s}`, uuid.Must(uuid.NewV7()),
		a.item.Client, a.seq, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"), ops))
}

// push brings a batch into the log. After an answer that was lost the entries tell what came of it.
func (a *appender) push(ctx context.Context, batch []*action.Action, out io.Writer) error {
	left := map[action.UUID]bool{}
	for _, act := range batch {
		left[act.ID] = true
	}
	if a.item.After == 0 {
		if err := a.find(ctx); err != nil {
			return err
		}
	}
	for tries := 0; len(left) > 0; {
		a.item.Actions = nil
		for _, act := range batch {
			if left[act.ID] {
				a.item.Actions = append(a.item.Actions, act.Raw)
			}
		}
		text, err := a.patiently(ctx, http.MethodPost, "/sync", protocol.AppendSyncRequest(nil, []protocol.SyncItem{a.item}, 0))
		if err != nil {
			return err
		}
		answers, err := protocol.DecodeSyncAnswer(text)
		if err != nil || len(answers) != 1 {
			return &action.Error{Code: action.CodeBadAnswer, Cause: err}
		}
		ans := &answers[0]
		if ans.Err != nil {
			if tries++; tries == appendTries || !retryable(ans.Err) {
				return ans.Err
			}
			time.Sleep(time.Second)
			continue
		}
		if ans.Offer != nil && len(ans.Entries) == 0 { // what comes next is not kept any more
			if err := a.find(ctx); err != nil {
				return err
			}
			continue
		}
		took := func(id action.UUID, index uint64) {
			if left[id] {
				delete(left, id)
				fmt.Fprintln(out, index, id)
			}
		}
		for _, e := range ans.Entries {
			act, err := action.DecodeAction(e.Action)
			if err != nil {
				return &action.Error{Code: action.CodeBadAnswer, Cause: err}
			}
			took(act.ID, e.Index)
		}
		for _, p := range ans.Persisted {
			took(p.ID, p.Index)
		}
		if len(ans.Rejected) > 0 {
			no := &ans.Rejected[0]
			return &action.Error{Code: no.Code, Message: "action " + no.ID.String() + ": " + no.Message + "; what came before it is in the log, what comes after it is not"}
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
	for tries := 0; ; {
		ans, err := a.log(ctx, a.item.After)
		if err != nil {
			if tries++; tries == appendTries || !retryable(err) {
				return err
			}
			time.Sleep(time.Second)
			continue
		}
		if a.item.After == ans.Head {
			a.item.Epoch, a.item.Chain = ans.Epoch, ans.Chain
			return nil
		}
		a.item.After = ans.Head
	}
}

// exactNumbers refuses whole numbers that a float cannot tell from their neighbours: they would be rounded in silence.
func exactNumbers(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n, is := token.(json.Number); is {
			whole, ok := new(big.Rat).SetString(n.String())
			if ok && whole.IsInt() && whole.Num().CmpAbs(new(big.Int).SetUint64(action.MaxInteger)) > 0 && strings.Trim(n.String(), "-0123456789") == "" {
				return action.Malformed("", "the number "+n.String()+" is beyond 2^53-1, and would be rounded: write it as a string")
			}
		}
	}
}
