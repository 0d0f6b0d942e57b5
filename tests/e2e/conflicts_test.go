package e2e

import (
	"testing"
)

// What two browsers did to one object while both were offline ends as the seed says, in both.
func TestConflictsEndAsTheSeedSays(t *testing.T) {
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	one, two := a.open(s.url), b.open(s.url)
	one.start("")
	two.start("")
	const (
		done   = `await s.update(id, {done: true})`
		remove = `await s.remove(id)`
	)
	for _, c := range []struct{ name, first, second, want string }{
		{"update/update on one key: the last in the log wins", `await s.update(id, {title: "first"})`, `await s.update(id, {title: "second"})`, `[{"done":false,"title":"second"}]`},
		{"update/update on two keys: both stand", `await s.update(id, {title: "first"})`, done, `[{"done":true,"title":"first"}]`},
		{"remove/update: as if in the reverse order", remove, `await s.update(id, {title: "second"})`, `[]`},
		{"update/remove", `await s.update(id, {title: "first"})`, remove, `[]`},
		{"remove/remove: one remove", remove, remove, `[]`},
		{"increments add up", `await s.update(id, {done: strandline.increment(2), title: "x"}).catch(() => s.update(id, {title: "x"}))`, done, `[{"done":true,"title":"x"}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			one.do(`for (const r of s.query()) await s.remove(r.id); window.id = await s.create("todo", {title: "new", done: false}); await s.settled()`)
			two.eventually(one.do(`return [id]`), `return s.query().map((r) => r.id)`)
			two.do(`window.id = s.query()[0].id`)
			one.offline(true)
			two.offline(true)
			one.do(`%s`, c.first)
			two.do(`%s`, c.second)
			one.want(`true`, `return s.pending().length > 0`)
			one.offline(false)
			one.do(`await s.settled()`) // one is first in the log
			two.offline(false)
			two.do(`await s.settled()`)
			const rows = `return s.query().map(({id, type, ...rest}) => rest)`
			two.eventually(c.want, rows)
			one.eventually(c.want, rows)
		})
	}
}
