package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

// recipe is one of docs/SCHEMAS.md.
func recipe(t *testing.T, name string) string {
	t.Helper()
	guide, err := os.ReadFile("../../docs/SCHEMAS.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)// recipe: " + name + "\nconst schema = (.*?);\n```").FindSubmatch(guide)
	if found == nil {
		t.Fatalf("docs/SCHEMAS.md has no recipe %q", name)
	}
	return string(found[1])
}

// said is a text that a page gives.
func said(p *tab, body string, args ...any) (text string) {
	p.t.Helper()
	if err := json.Unmarshal([]byte(p.do(body, args...)), &text); err != nil {
		p.t.Fatal(err)
	}
	return text
}

// Two builds of an app, an old one that knows nothing of the change and a new one with the recipe of the docs, edit the same objects, both offline: neither
// loses an edit of the other, in whatever order they come back; nor where both are tabs of one browser; and the new one sees as much before its program is there.
func TestTwoBuilds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one, two := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	old, next, beside := one.open(s.url), two.open(s.url), one.open(s.url)
	for _, p := range []*tab{old, next} {
		p.start("")
	}
	for _, c := range []struct {
		recipe, typ, make    string
		old, new             string // edits, of the object id
		oldSees, newSees     string // then, if the old one's came last; as lists of fields
		oldSees2, newSees2   string // if the new one's did
		show                 string
		oldCreates, newSees3 string // what the new build sees of what an old one creates
		newCreates, oldSees3 string
	}{
		{"new field", "todo", `{title: "a", done: false}`,
			`s.edit(id, (d) => { d.done = true })`, `s.edit(id, (d) => { d.priority = 2 })`,
			`["a",true,2]`, `["a",true,2]`, `["a",true,2]`, `["a",true,2]`, `r.title, r.done, r.priority`,
			`{title: "o", done: true}`, `["o",true,0]`, `{title: "n", done: false, priority: 1}`, `["n",false,1]`},
		{"rename", "todo", `{name: "a", done: false}`,
			`s.edit(id, (d) => { d.name = "old"; d.done = true })`, `s.edit(id, (d) => { d.title = "new" })`,
			`["old","new",true]`, `[null,"old",true]`, `["new","new",true]`, `[null,"new",true]`, `r.name, r.title, r.done`,
			`{name: "o", done: true}`, `[null,"o",true]`, `{title: "n", done: false}`, `["n","n",false]`},
		{"split", "person", `{name: "Ada King Lovelace"}`,
			`s.edit(id, (d) => { d.name = "Ada Byron" })`, `s.edit(id, (d) => { d.first = "Augusta" })`,
			`["Ada Byron"]`, `[null,"Ada","Byron"]`, `["Augusta King Lovelace"]`, `[null,"Augusta","King Lovelace"]`, `r.name, r.first, r.last`,
			`{name: "Max Mustermann"}`, `[null,"Max","Mustermann"]`, `{first: "Anna Maria", last: "X"}`, `["Anna Maria X"]`},
		{"field gone", "todo", `{title: "a", color: "red"}`,
			`s.edit(id, (d) => { d.color = "blue" })`, `s.edit(id, (d) => { d.title = "new" })`,
			`["new","blue"]`, `["new",null]`, `["new","blue"]`, `["new",null]`, `r.title, r.color`,
			`{title: "o", color: "green"}`, `["o",null]`, `{title: "n"}`, `["n","grey"]`},
	} {
		t.Run(c.recipe, func(t *testing.T) {
			stream := "lists/" + strings.ReplaceAll(c.recipe, " ", "-")
			begin := func(p *tab, schema string) {
				p.do(`await s.close(); window.s = await db.stream(%q, %s); window.show = (r) => r && [%s].map((v) => v ?? null)`, stream, schema, c.show)
			}
			asNew := fmt.Sprintf(`{schema: %s}`, recipe(t, c.recipe))
			begin(old, "{}")
			begin(next, asNew)
			see := func(p *tab, id, want string) {
				p.t.Helper()
				if strings.Count(want, ",") == 0 && strings.HasPrefix(c.show, "r.name, r.first") { // the old build of a split knows the name
					p.eventually(want, `return show(s.get(%q))?.slice(0, 1)`, id)
					return
				}
				p.eventually(want, `return show(s.get(%q))`, id)
			}
			for round, want := range [][2]string{{c.oldSees, c.newSees}, {c.oldSees2, c.newSees2}} {
				id := said(old, `const made = s.create(%q, %s); await made.persisted; return made.object`, c.typ, c.make)
				next.eventually(`true`, `return s.get(%q) !== undefined`, id)
				old.offline(true)
				next.offline(true)
				old.do(`const id = %q; await %s`, id, c.old)
				next.do(`const id = %q; await %s`, id, c.new)
				order := []*tab{next, old}
				if round == 1 {
					order = []*tab{old, next}
				}
				for _, p := range order {
					p.offline(false)
					p.do(`await db.sync(); await s.settled()`)
				}
				see(old, id, want[0])
				see(next, id, want[1])
			}
			id := said(old, `const made = s.create(%q, %s); await made.persisted; return made.object`, c.typ, c.oldCreates)
			see(next, id, c.newSees3)
			id = said(next, `const made = s.create(%q, %s); await made.persisted; return made.object`, c.typ, c.newCreates)
			see(old, id, c.oldSees3)
			// The old build's page is loaded anew, by the new one, beside one of the old: the same database.
			want := said(next, `return JSON.stringify(s.query().map((r) => [r.id, ...show(r)]).sort())`)
			for range 2 { // first with rows that an old build has stored, then with its own
				beside.reload()
				beside.start(`{log: (e) => (window.told ??= []).push(e.code)}`)
				begin(beside, asNew)
				beside.want(fmt.Sprintf("%q", want), `return JSON.stringify(s.query().map((r) => [r.id, ...show(r)]).sort())`)
				beside.do(`await s.ready; await new Promise((r) => setTimeout(r, 800))`) // rows are compared half a second after
				beside.want(`[0,null]`, `return [(await db.health()).unviewed, window.told?.filter((c) => c !== "update") ?? null]`)
			}
		})
	}
}

// What older code has written waits where the server takes changes of newer code alone; it reads on, and a tab of newer code beside it sends both.
func TestOlderCodeIsHeld(t *testing.T) {
	t.Parallel()
	rules := t.TempDir() + "/rules.json"
	const write = `{"secrets": {"all": {"secret": "0123456789abcdef"}}, "rules": [{"secret": "all", "streams": ["**"], "may": ["read", "append"]}]%s}`
	if err := os.WriteFile(rules, []byte(fmt.Sprintf(write, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "--auth", "rules", "--rules", rules)
	b, c := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	const auth = `auth: () => "0123456789abcdef"`
	old, other := b.open(s.url), c.open(s.url)
	old.start(`{schemaVersion: 2, ` + auth + `}`)
	other.start(`{schemaVersion: 3, ` + auth + `}`)
	old.do(`await s.create("todo", {title: "before"}).persisted`)
	if err := os.WriteFile(rules, []byte(fmt.Sprintf(write, `, "schemas": [{"streams": ["lists/*"], "min": 3}]`)), 0o600); err != nil {
		t.Fatal(err)
	}
	other.eventually(`true`, `return s.query().length > 0`)
	old.eventually(`["held","schema"]`, `if (s.status.state !== "held") await s.create("todo", {title: "waits"}); return [s.status.state, s.status.error?.code]`)
	other.do(`await s.create("todo", {title: "of another"}).persisted`)
	old.eventually(`true`, `return s.query({where: {title: "of another"}}).length === 1`)
	next := b.open(s.url)
	next.start(`{schemaVersion: 3, ` + auth + `}`)
	old.eventually(`["live",0]`, `return [s.status.state, s.pending().length]`)
	other.eventually(`true`, `return s.query({where: {title: "waits"}}).length > 0`)
	old.do(`await s.create("todo", {title: "through the newer one"}).persisted`)
}
