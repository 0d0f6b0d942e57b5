package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/strandline-sync/strandline/client/replay"
	"github.com/strandline-sync/strandline/core/locallog"
)

// replayBundle goes through the local logs of a bundle, and says whether they lead to what the page held.
func replayBundle(args []string) error {
	flags := newFlags("replay")
	steps := flags.Bool("steps", false, "say what each record does")
	rows := flags.Bool("rows", false, "print the objects that each log leads to, a line each")
	name := flags.String("stream", "", "this stream alone")
	rest, err := words(flags, args, 1)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return errors.New("replay takes one file: a bundle, as db.export gives it; - for standard input")
	}
	in := io.Reader(os.Stdin)
	if rest[0] != "-" {
		f, err := os.Open(rest[0])
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	b, err := replay.Read(in)
	if err != nil {
		return err
	}
	fmt.Printf("a bundle of %s, made at %s by %s\n", nameOr(b.Database, "a database"), b.At, nameOr(b.Agent, "nobody who says so"))
	failed := 0
	for _, s := range b.Streams {
		if *name != "" && s.Name != *name {
			continue
		}
		if err := replayStream(s, *steps, *rows); err != nil {
			fmt.Printf("%s: %v\n", s.Name, err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d streams are not what the page held", failed, len(b.Streams))
	}
	return nil
}

var kinds = map[locallog.Kind]string{0: "checkpoint", locallog.KindInit: "founded", locallog.KindCommit: "commit", locallog.KindTurn: "turn"}

func replayStream(s *replay.Stream, steps, rows bool) error {
	same := false
	rep, err := s.Replay(func(step *replay.Step) error {
		same = same || step.Same
		if steps {
			st := step.Replica.State()
			fmt.Printf("%s: record %d, %s: %d made, %d entries, %d stored, %d refused; head %d, %d objects, %d pending, hash %s\n", s.Name, step.LSN, kinds[step.Kind],
				step.Own, step.Entries, step.Persisted, step.Rejected, st.Head, st.Len(), step.Replica.Queued(), st.Hash(nil))
		}
		return nil
	})
	st := rep.State()
	if rows {
		for o := range st.Objects() {
			fmt.Printf("%s\n", st.AppendRow(nil, o.ID()))
		}
	}
	if err != nil {
		return err
	}
	said := "what the page held is not known"
	if same {
		said = "as in the page"
	}
	fmt.Printf("%s: %d objects, head %d, %d pending, %d refused, hash %s: %s\n", s.Name, st.Len(), st.Head, rep.Queued(), rep.Refusals(), st.Hash(nil), said)
	return nil
}

func nameOr(name, or string) string {
	if name == "" {
		return or
	}
	return name
}
