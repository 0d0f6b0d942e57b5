// Command told tells what came of a run of the end-to-end tests in an engine: it reads what go test -json prints, says what failed, and counts. With
// -write it puts the table of docs/BROWSERS.md in its place: told -write docs/BROWSERS.md firefox=FILE webkit=FILE.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"
)

// run is what came of each test in one engine.
type run struct {
	engine string
	of     map[string]string // pass, skip, fail
	why    map[string]string // of those that cannot
	output map[string][]string
}

func read(engine, path string) (*run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &run{engine, map[string]string{}, map[string]string{}, map[string][]string{}}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var e struct{ Action, Test, Output string }
		if json.Unmarshal(in.Bytes(), &e) != nil {
			continue
		}
		test, _, part := strings.Cut(e.Test, "/")
		switch e.Action {
		case "output":
			if _, why, found := strings.Cut(e.Output, "cannot in "+engine+": "); found {
				r.why[test] = strings.TrimSpace(why)
			}
			if r.output[test] = append(r.output[test], e.Output); len(r.output[test]) > 400 {
				r.output[test] = r.output[test][200:]
			}
		case "pass", "skip", "fail":
			if !part {
				r.of[test] = e.Action
			}
		}
	}
	return r, in.Err()
}

func (r *run) count(what string) (n int) {
	for test, is := range r.of {
		if test != "" && is == what {
			n++
		}
	}
	return n
}

const (
	begins = "<!-- the table: make browsers writes it -->\n"
	ends   = "<!-- its end -->\n"
)

func main() {
	log.SetFlags(0)
	write := flag.String("write", "", "the file whose table is written")
	flag.Parse()
	var runs []*run
	for _, arg := range flag.Args() {
		engine, path, _ := strings.Cut(arg, "=")
		r, err := read(engine, path)
		if err != nil {
			log.Fatal(err)
		}
		runs = append(runs, r)
	}
	failed := false
	for _, r := range runs {
		for _, test := range slices.Sorted(maps.Keys(r.of)) {
			if r.of[test] == "fail" {
				failed = true
				fmt.Print(strings.Join(r.output[test], ""))
			}
		}
		fmt.Printf("%s: %d passed, %d cannot, %d failed\n", r.engine, r.count("pass"), r.count("skip"), r.count("fail"))
	}
	if *write != "" {
		if err := table(*write, runs); err != nil {
			log.Fatal(err)
		}
	}
	if failed {
		os.Exit(1)
	}
}

func table(path string, runs []*run) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begins)
	_, after, ended := strings.Cut(rest, ends)
	if !found || !ended {
		return fmt.Errorf("%s has no place for the table", path)
	}
	var b strings.Builder
	b.WriteString(before + begins)
	for _, r := range runs {
		fmt.Fprintf(&b, "\n**%s**: %d tests passed, %d cannot.\n", r.engine, r.count("pass"), r.count("skip"))
	}
	b.WriteString("\n| test | " + "cannot in | why |\n| --- | --- | --- |\n")
	for _, r := range runs {
		for _, test := range slices.Sorted(maps.Keys(r.of)) {
			if r.of[test] == "skip" && test != "" {
				fmt.Fprintf(&b, "| `%s` | %s | %s |\n", test, r.engine, r.why[test])
			}
		}
	}
	b.WriteString("\n" + ends + after)
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
