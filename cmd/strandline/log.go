package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/strandline-sync/strandline/core/action"
)

// history prints what has become of an object, a change a line.
func history(args []string) error {
	flags := newFlags("log")
	object := flags.String("object", "", "the id of the object")
	r, err := parseRemote(flags, args)
	if err != nil {
		return err
	}
	if _, ok := action.ParseUUID(*object); !ok {
		return errors.New("--object names an object by its id, a UUID")
	}
	ctx, stop := interrupted()
	defer stop()
	text, err := r.whole(ctx, http.MethodGet, "/history?stream="+url.QueryEscape(r.stream)+"&object="+*object, nil)
	if err != nil {
		return err
	}
	var h struct {
		From    uint64            `json:"from"`
		Row     json.RawMessage   `json:"row"`
		More    bool              `json:"more"`
		Changes []json.RawMessage `json:"changes"`
	}
	if err := json.Unmarshal([]byte(text), &h); err != nil {
		return &action.Error{Code: action.CodeBadAnswer, Message: "the history cannot be read", Cause: err}
	}
	switch {
	case h.More:
		fmt.Fprintln(os.Stderr, "strandline: there were earlier changes; these are the last ones")
	case h.From > 0 && h.Row != nil:
		fmt.Fprintf(os.Stderr, "strandline: up to entry %d a checkpoint stands for the log; then it was %s\n", h.From, h.Row)
	case h.From > 0:
		fmt.Fprintf(os.Stderr, "strandline: up to entry %d a checkpoint stands for the log; the object was not there then\n", h.From)
	}
	for _, c := range h.Changes {
		fmt.Printf("%s\n", c)
	}
	return nil
}
