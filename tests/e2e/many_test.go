package e2e

import (
	"strings"
	"testing"
)

// Many objects in one call: few actions, one promise, and nothing at all where one of them is wrong.
func TestCreateMany(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.want(`[2500,true,true,"2499",2500]`, `
		const calls = [];
		s.subscribe({type: "todo"}, (rows) => calls.push(rows.length));
		const rows = Array.from({length: 2500}, (_, n) => ({title: String(n), n, note: "Grüße"}));
		const write = s.create("todo", rows);
		const there = s.count({type: "todo"}); // at once
		const ids = await write;
		const index = await write.persisted;
		return [there, index === s.head, calls.join() === "0,2500", s.get(ids[2499]).title, new Set(ids).size]`)
	if n := strings.Count(s.log("lists/1"), `"seq":`); n != 3 {
		t.Errorf("2,500 objects are %d actions", n)
	}
	// What is wrong, and where; in the last action that it would have been.
	one.want(`[["invalid","/1200/note"],["invalid","/1200/a"],["invalid","/1200/id"],["too-large","/1200"],["invalid",""],["invalid","/1"]]`, `
		const wrong = async (bad, options) => {
			const rows = Array.from({length: 1201}, (_, n) => n === 1200 ? bad : ({n}));
			const e = await s.create("todo", options ? rows.slice(0, 2) : rows, options).catch((e) => e);
			return [e.code, e.path];
		};
		return [await wrong({note: () => 1}), await wrong({a: "\ud800"}), await wrong({id: "x"}), await wrong({note: "x".repeat(300000)}), await wrong({}, {id: crypto.randomUUID()}),
			await s.create("todo", [{}, 5]).catch((e) => [e.code, e.path])]`)
	one.want(`[2500,0,[],0]`, `return [s.count(), s.status.pending, await s.create("todo", []), s.rejected().length]`)
}
