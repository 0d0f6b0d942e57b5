package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
)

//go:embed growth.js
var growthScript string

// grown is what a page measures that opens what is there.
type grown struct{ Rows, Ready, Longest, Write, Live, Heap, Wasm, Count float64 }

// growth prints how the figures of ours alone grow.
func growth(w io.Writer, tmp, url string, objects, pending, streams []int) error {
	one, end, err := browser(filepath.Join(tmp, "growth"))
	if err != nil {
		return err
	}
	defer end()
	fmt.Fprint(w, "\n| What grows | first sync, or writing it | its longest task | rows after | runtime after | longest task | one write | live, first 50 | JavaScript's heap | WebAssembly's |\n|---|---|---|---|---|---|---|---|---|---|\n")
	line := func(what, first, worst, name, server string, names ...string) error {
		list, err := json.Marshal(names)
		if err != nil {
			return err
		}
		var g grown
		if err := ask(one, url, fmt.Sprintf("again(%q, %q, %s)", name, server, list), &g); err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "| %s | %s | %s | %.0f ms | %.0f ms | %s | %s ms | %s ms | %.0f MiB | %.0f MiB |\n",
			what, first, worst, g.Rows, g.Ready, task(g.Longest), short(g.Write), short(g.Live), g.Heap, g.Wasm)
		return err
	}
	for _, n := range objects {
		stream := fmt.Sprintf("grown/%d", n)
		if err := fill(url, stream, n, todo); err != nil {
			return err
		}
		var r struct{ Ms, Longest float64 }
		if err := ask(one, url, fmt.Sprintf("bring(%q, %q, %d)", stream, stream, n), &r); err != nil {
			return err
		}
		if err := line(thousands(n)+" objects", fmt.Sprintf("%.1f s", r.Ms/1000), task(r.Longest), stream, url, stream); err != nil {
			return err
		}
	}
	local := func(what, name string, streams, each int) error {
		var ms float64
		if err := ask(one, url, fmt.Sprintf("leave(%q, %d, %d)", name, streams, each), &ms); err != nil {
			return err
		}
		names := make([]string, streams)
		for i := range names {
			names[i] = fmt.Sprintf("s/%d", i)
		}
		return line(what, fmt.Sprintf("%.1f s", ms/1000), "", name, "", names...)
	}
	for _, n := range pending {
		if err := local(thousands(n)+" pending", fmt.Sprintf("pending-%d", n), 1, n); err != nil {
			return err
		}
	}
	for _, n := range streams {
		if err := local(thousands(n)+" streams of 50", fmt.Sprintf("streams-%d", n), n, 50); err != nil {
			return err
		}
	}
	return nil
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
