package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
	"github.com/strandline-sync/strandline/server/rights"
)

// erasure is what an operator has taken out: a principal, or an object of a stream.
type erasure struct {
	Principal string `json:"principal,omitempty"`
	Stream    string `json:"stream,omitempty"`
	Object    string `json:"object,omitempty"`

	KeepStreams bool   `json:"keepStreams,omitempty"` // a principal's own are not deleted
	User        string `json:"user,omitempty"`        // of the operator who asks
}

// erase takes a principal or an object out of a data directory, through the server that uses it, where one does.
func erase(args []string) error {
	flags := newFlags("erase")
	data := dataFlag(flags)
	principal := flags.String("principal", "", "whose streams are deleted, and whose name is taken from all others")
	rules := flags.String("rules", "", "the file of rules that say which streams are a principal's own, where no server runs: those of patterns with {sub}")
	keep := flags.Bool("keep-streams", false, "delete no streams: only take the principal's name away")
	object := flags.Bool("object", false, "erase an object: the STREAM and the object's ID follow")
	rest, err := words(flags, args, 2)
	if err != nil {
		return err
	}
	what := erasure{Principal: *principal, KeepStreams: *keep, User: userName()}
	switch {
	case *object == (*principal != ""):
		return errors.New("erase takes --principal NAME, or --object STREAM ID")
	case *object && len(rest) != 2:
		return errors.New("erase --object takes the STREAM and the object's ID")
	case *object:
		what.Stream, what.Object = rest[0], rest[1]
	case len(rest) > 0:
		return fmt.Errorf("erase --principal takes no argument %q", rest[0])
	}
	if err := what.check(); err != nil {
		return err
	}
	ctx, stop := interrupted()
	defer stop()
	said, err := askServer(ctx, *data, what)
	if err == nil && *rules != "" {
		said += " The server's own rules were followed, and not --rules."
	}
	if errors.Is(err, errNoServer) {
		said, err = eraseAlone(ctx, *data, *rules, what)
	}
	if err != nil {
		return err
	}
	fmt.Println(said)
	return nil
}

func (what erasure) check() error {
	if what.Principal != "" {
		return nil
	}
	if wrong := action.CheckStreamName(what.Stream); wrong != "" {
		return errors.New(wrong)
	}
	if _, ok := action.ParseUUID(what.Object); !ok {
		return fmt.Errorf("%q is no lower-case UUID of an object", what.Object)
	}
	return nil
}

// do erases, notes it, and says what was done.
func (what erasure) do(ctx context.Context, s *server.Server, dir string, rules *rights.Rules) (said string, err error) {
	if what.Principal != "" {
		theirs := func(string) bool { return false }
		switch {
		case what.KeepStreams:
		case rules == nil:
			return "", errors.New("which streams are a principal's own is said by rules, those of patterns with {sub}: name them with --rules FILE, or delete none with --keep-streams")
		default:
			theirs = func(stream string) bool { return rules.Theirs(what.Principal, stream) }
		}
		defer func() { audit(dir, "erase", hashOf(what.Principal), what.User, err) }()
		use, err := s.Use(ctx, what.Principal)
		if err != nil {
			return "", err
		}
		n, err := s.Forget(ctx, what.Principal, theirs)
		if n == 0 && use == (engine.Use{}) {
			return "nothing that is kept here was by that name. (The bearer of a secret of the rules is secret:NAME.)", err
		}
		return fmt.Sprintf("%d streams of its own were deleted, and its name stands beside nothing any more. Devices keep what they have, and so do older backups; a restore erases it again.", n), err
	}
	defer func() { audit(dir, "erase", hashOf(what.Stream)+"/"+what.Object, what.User, err) }()
	id, _ := action.ParseUUID(what.Object)
	err = s.EraseObject(ctx, what.Stream, id)
	return "whatever the log held of the object is gone. Devices lose it when they sync, but for actions of their own that they keep; older backups have it, and a restore erases it again.", err
}

// eraseAlone opens the directory that no server uses.
func eraseAlone(ctx context.Context, dir, rulesFile string, what erasure) (string, error) {
	var rules *rights.Rules
	if rulesFile != "" {
		var err error
		if rules, err = rights.LoadRules(rulesFile, nil); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "strandline.db")); err != nil {
		return "", err
	}
	logs, err := sqlite.Open(dir)
	if err != nil {
		return "", err
	}
	s := server.New(server.Config{Engine: logs, Auth: server.None()})
	said, err := what.do(ctx, s, dir, rules)
	s.Close()
	return said, errors.Join(err, logs.Close())
}

// eraseAgain erases what a restored backup has brought back, and gives how many objects.
func eraseAgain(ctx context.Context, s *server.Server, logs *sqlite.Engine) (erased int, err error) {
	objects, err := logs.Erased(ctx)
	if err != nil || len(objects) == 0 {
		return 0, err
	}
	for stream, ids := range objects {
		if err := s.EraseObject(ctx, stream, ids...); err != nil {
			return erased, fmt.Errorf("erase again what a backup has brought back: %w", err)
		}
		erased += len(ids)
	}
	return erased, logs.ErasedAgain()
}

// A server listens to its operator in its data directory: whoever may write there may ask.
const controlFile = "control"

var errNoServer = errors.New("no server uses the directory")

// control listens for the operator of this directory.
func control(dir string, s *server.Server, rules *rights.Rules) (stop func(), err error) {
	path := filepath.Join(dir, controlFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // of a server that was killed: this one holds the directory
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /erase", func(w http.ResponseWriter, r *http.Request) {
		var what erasure
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&what)
		if err == nil {
			err = what.check()
		}
		said := ""
		if err == nil { // what is begun is ended, whether the operator waits or not
			said, err = what.do(context.WithoutCancel(r.Context()), s, dir, rules)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, said)
	})
	h := &http.Server{Handler: mux}
	go func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("the operator's socket failed", "error", err)
		}
	}()
	return func() { h.Close() }, nil
}

// askServer has the server of a directory do it.
func askServer(ctx context.Context, dir string, what erasure) (string, error) {
	path := filepath.Join(dir, controlFile)
	if _, err := os.Stat(path); err != nil {
		return "", errNoServer
	}
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err != nil { // it was killed
			return nil, errNoServer
		}
		return conn, nil
	}}}
	body, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://strandline/erase", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if errors.Is(err, errNoServer) {
		return "", errNoServer
	}
	if err != nil {
		return "", fmt.Errorf("the server ended before it was done: run the same command again (%w)", err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(string(bytes.TrimSpace(said)))
	}
	return string(said), err
}
