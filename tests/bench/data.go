package main

import (
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
)

//go:embed data.js
var dataScript string

type timed struct{ Ms, Transactions float64 }

// dataStreams prints what data streams cost.
func dataStreams(w io.Writer, tmp, url string) error {
	one, end, err := browser(filepath.Join(tmp, "data"))
	if err != nil {
		return err
	}
	defer end()
	var a struct{ Raw, Kept, Sent timed }
	if err := ask(one, url, "dataAppends()", &a); err != nil {
		return err
	}
	fmt.Fprint(w, "\n| Data streams | |\n|---|---|\n")
	fmt.Fprintf(w, "| an append, awaited until it is durable | %s ms in %.1f transactions, %.2f × one row by hand |\n", short(a.Kept.Ms), a.Kept.Transactions, a.Kept.Ms/a.Raw.Ms)
	fmt.Fprintf(w, "| until the server has it | %s ms, %.1f transactions in all, until it has come back in the log |\n", short(a.Sent.Ms), a.Sent.Transactions)
	var c struct{ Alone, Beside, Most, Said float64 }
	if err := ask(one, url, "chatBeside()", &c); err != nil {
		return err
	}
	fmt.Fprintf(w, "| a message beside an upload of 32 MiB, until the server has it | %s ms (median of %.0f; at most %s), %.1f × without one (%s) |\n",
		short(c.Beside), c.Said, short(c.Most), c.Beside/c.Alone, short(c.Alone))
	var few, many struct{ First, Last, One float64 }
	if err := ask(one, url, `readsOf("bench/few", 1000)`, &few); err != nil {
		return err
	}
	if err := ask(one, url, `readsOf("bench/many", 100000)`, &many); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "| `read({ limit: 1 })` of 1,000 entries; of 100,000 | %s ms; %s ms, %.1f × |\n| the same behind the last one | %s ms; %s ms |\n| `get(id)` of the last one | %s ms; %s ms |\n",
		short(few.First), short(many.First), many.First/few.First, short(few.Last), short(many.Last), short(few.One), short(many.One))
	return err
}
