package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// conflicts are the cases of docs/CONFLICTS.md by their ids: what two browsers that are offline do to the object id, the first of them
// being the first in the log too; the rows that both end with; and what the second one's last write is told.
var conflicts = map[string]struct{ first, second, rows, told string }{
	"CC":       {`await s.create("todo", {title: "first"}, {id: other})`, `await s.create("todo", {title: "second"}, {id: other})`, `[{"title":"first"},{"done":false,"tags":[],"title":"new","votes":0}]`, "conflict"},
	"CU":       {`await s.remove(id); await s.create("todo", {title: "again"}, {id})`, `await s.update(id, {done: true})`, `[{"done":true,"title":"again"}]`, "index"},
	"CR":       {`await s.remove(id); await s.create("todo", {title: "again"}, {id})`, `await s.remove(id)`, `[]`, "index"},
	"UC":       {`await s.update(id, {title: "first"})`, `await s.remove(id); await s.create("todo", {title: "again"}, {id})`, `[{"title":"again"}]`, "index"},
	"UU-other": {`await s.update(id, {title: "first"})`, `await s.update(id, {done: true})`, `[{"done":true,"tags":[],"title":"first","votes":0}]`, "index"},
	"UU-same":  {`await s.update(id, {title: "first"})`, `await s.update(id, {title: "second"})`, `[{"done":false,"tags":[],"title":"second","votes":0}]`, "index"},
	"UU-inc":   {`await s.update(id, {votes: strandline.increment(2)})`, `await s.update(id, {votes: strandline.increment(3)})`, `[{"done":false,"tags":[],"title":"new","votes":5}]`, "index"},
	"UU-union": {`await s.update(id, {tags: strandline.union("a", "b")})`, `await s.update(id, {tags: strandline.union("b", "c")})`, `[{"done":false,"tags":["a","b","c"],"title":"new","votes":0}]`, "index"},
	"UR":       {`await s.update(id, {title: "first"})`, `await s.remove(id)`, `[]`, "index"},
	"RC":       {`await s.remove(id)`, `await s.remove(id); await s.create("todo", {title: "again"}, {id})`, `[{"title":"again"}]`, "index"},
	"RU":       {`await s.remove(id)`, `await s.update(id, {title: "second"})`, `[]`, "conflict"},
	"RR":       {`await s.remove(id)`, `await s.remove(id)`, `[]`, "conflict"},
	"guard": {`await s.update(id, {title: "first"})`, `await s.transact((tx) => { tx.require({object: id, key: "title", equals: "new"}); tx.update(id, {done: true}); tx.create("todo", {title: "more"}) })`,
		`[{"done":false,"tags":[],"title":"first","votes":0}]`, "conflict"},
}

// What two browsers did to one object while both were offline ends as docs/CONFLICTS.md says, in both.
func TestConflictsEndAsDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(filepath.Join(root, "docs/CONFLICTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([A-Za-z-]+) \|.*\| (index|ConflictError) \|$`).FindAllStringSubmatch(string(doc), -1) {
		told[m[1]] = map[string]string{"index": "index", "ConflictError": "conflict"}[m[2]]
	}
	ids := slices.Sorted(maps.Keys(conflicts))
	if documented := slices.Sorted(maps.Keys(told)); !slices.Equal(documented, ids) {
		t.Fatalf("documented %v\n   tested %v", documented, ids)
	}
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	one, two := a.open(s.url), b.open(s.url)
	one.start("")
	two.start("")
	for _, id := range ids {
		t.Run(id, func(t *testing.T) {
			one.t, two.t = t, t
			c := conflicts[id]
			if told[id] != c.told {
				t.Errorf("documented is that the second author is told %q", told[id])
			}
			object := one.do(`for (const r of s.query()) await s.remove(r.id); window.other = crypto.randomUUID();
				window.id = await s.create("todo", {title: "new", done: false, votes: 0, tags: []}); await s.settled(); return [id, other]`)
			two.do(`[window.id, window.other] = %s`, object)
			two.eventually(`[true,1]`, `return [s.get(id) !== undefined, s.count()]`)
			one.offline(true)
			two.offline(true)
			one.do(`%s`, c.first)
			two.do(`%s`, c.second)
			two.do(`window.last = s.pending().at(-1).id`)
			one.want(`true`, `return s.pending().length > 0`)
			one.offline(false)
			one.do(`await s.settled()`) // one is first in the log
			two.offline(false)
			two.do(`await s.settled()`)
			two.want(`"`+c.told+`"`, `return s.persisted(last).then(() => "index", (e) => e.code)`)
			const rows = `return s.query({orderBy: "title"}).map(({id, type, ...rest}) => rest)`
			two.eventually(c.rows, rows)
			one.eventually(c.rows, rows)
		})
	}
}
