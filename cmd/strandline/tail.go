package main

import (
	"bufio"
	"context"
	"errors"
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

	"github.com/strandline-sync/strandline/core/action"
)

// tailPause is how long tail waits before it connects again.
const tailPause = 2 * time.Second

// tail prints a log, an entry a line, and goes on as it grows, until a signal ends it.
func tail(args []string) error {
	flags := newFlags("tail")
	after := flags.Uint64("after", 0, "the index after which to begin")
	r, err := parseRemote(flags, args)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	return r.tail(ctx, *after, os.Stdout)
}

func (r *remote) tail(ctx context.Context, after uint64, out io.Writer) error {
	var epoch action.UUID
	for {
		err := r.sameLog(ctx, after, &epoch)
		if err == nil {
			err = r.tailOnce(ctx, &after, out)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !retryable(err) {
			return err
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "strandline: %v; connecting again\n", err)
		}
		select {
		case <-time.After(tailPause):
		case <-ctx.Done():
			return nil
		}
	}
}

// sameLog looks whether the log is still the one of the epoch, which is learned where it is not known yet.
func (r *remote) sameLog(ctx context.Context, after uint64, epoch *action.UUID) error {
	ans, err := r.log(ctx, after)
	if err != nil {
		return err
	}
	if *epoch == action.Nil {
		*epoch = ans.Epoch
	}
	if ans.Epoch != *epoch {
		return &action.Error{Code: action.CodeEpoch, Message: "another log is in the place of the one that was followed"}
	}
	return nil
}

func (r *remote) tailOnce(ctx context.Context, after *uint64, out io.Writer) error {
	path := "/log?stream=" + url.QueryEscape(r.stream) + "&after=" + strconv.FormatUint(*after, 10)
	resp, err := r.request(ctx, http.MethodGet, path, nil, http.Header{"Accept": {"text/event-stream"}})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	var id uint64
	var data string // of the event that is being read; one that breaks off is none
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &action.Error{Code: action.CodeUnreachable, Cause: err}
		}
		line = strings.TrimSuffix(line, "\n")
		if text, is := strings.CutPrefix(line, "id: "); is {
			if id, err = strconv.ParseUint(text, 10, 64); err != nil {
				return &action.Error{Code: action.CodeBadAnswer, Cause: err}
			}
		}
		if text, is := strings.CutPrefix(line, "data: "); is {
			data = text
		}
		if line == "" && data != "" {
			if _, err := fmt.Fprintln(out, data); err != nil {
				return err
			}
			*after, data = id, ""
		}
	}
}
