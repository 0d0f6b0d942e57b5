package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Two people type into one note without a network: what each has typed is there for both, and it is the same for both.
func TestDemoNotes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all []*tab
	for range 2 {
		tb := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
		tb.demo(s.url + "/demo/notes.html")
		all = append(all, tb)
	}
	one, two := all[0], all[1]
	const text = `return document.getElementById("note").value`
	write := func(tb *tab, text string) { tb.run("type", chromedp.SendKeys("#note", text, chromedp.ByQuery)) }
	write(one, "Low tide at nine.")
	two.eventually(`"Low tide at nine."`, text)
	for _, tb := range all {
		tb.click("#offline")
		tb.eventually(`"Offline"`, `return document.getElementById("badge-state").textContent`)
	}
	write(one, " Bring boots.")
	two.do(`const note = document.getElementById("note"); note.focus(); note.setSelectionRange(4, 4)`)
	write(two, "spring ")
	one.want(`"Low tide at nine. Bring boots."`, text)
	two.eventually(`true`, `return document.getElementById("note").value.includes("spring")`)
	two.axe()
	two.shot("notes-offline")
	// A reload without a network keeps what was typed.
	one.reload()
	one.eventually(`"Low tide at nine. Bring boots."`, text)
	for _, tb := range all {
		tb.do(`const off = document.getElementById("offline"); if (off.checked) off.click()`)
	}
	one.eventually(`true`, `const { value } = document.getElementById("note"); return value.includes("spring ") && value.includes("Bring boots.")`)
	if got, want := one.do(text), two.do(text); got != want {
		two.eventually(got, text)
	}
	two.shot("notes")
	if all := strings.Join(append(*one.console, *two.console...), "\n"); all != "" {
		t.Errorf("the console has:\n%s", all)
	}
}
