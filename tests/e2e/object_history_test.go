package e2e

import "testing"

// Who has changed an object is asked of the server, and what it was is brought back, also where it is gone, or of an older shape.
func TestTheHistoryOfAnObject(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()).open(s.url), openBrowser(t, t.TempDir()).open(s.url)
	a.start("")
	b.start("")
	a.do(`
		const made = s.create("todo", {title: "first", tags: ["a"]});
		await made.persisted;
		window.id = made.object;
		await s.update(id, {title: "second", done: true}).persisted`)
	b.do(`await s.settled(); await db.sync(); const [row] = s.query(); window.id = row.id; await s.update(row.id, {title: "of b", tags: strandline.unset()}).persisted`)
	a.eventually(`"of b"`, `return s.get(id).title`)
	a.do(`await s.remove(id).persisted`)
	a.want(`[["create",["tags","title"],"first"],["update",["done","title"],"second"],["update",["tags","title"],"of b"],["remove",["done","title"],null]]`, `
		window.told = await s.history(id);
		return told.changes.map((c) => [c.kind, c.changed, c.row?.title ?? null])`)
	a.want(`[0,4,false,true,true]`, `
		const [first, , third] = told.changes;
		return [told.from, told.head, told.more, first.at > 1e12 && first.client === s.client, third.client !== s.client]`)
	a.do(`await s.restore(told.changes[1]).persisted`)
	b.eventually(`{"done":true,"tags":["a"],"title":"second","type":"todo"}`, `
		const {id: _, ...row} = s.get(id) ?? {};
		return Object.fromEntries(Object.entries(row).sort())`)
	b.do(`const {changes} = await s.history(id); await s.restore(changes[2]).persisted`)
	a.eventually(`["of b",null]`, `return [s.get(id)?.title, s.get(id)?.tags ?? null]`)
	a.want(`"00000000-0000-0000-0000-000000000000"`, `return s.restore(told.changes[2]).action`) // it is that already
	a.do(`await s.restore(told.changes[3]).persisted`)
	b.eventually(`0`, `return s.count()`)
	a.want(`[0,"not-found"]`, `
		const none = await s.history("0b1ec700-0000-4000-8000-000000000001");
		return [none.changes.length, await s.history("nonsense").then(() => "told", (e) => e.code)]`)
	s.kill()
	a.want(`["SyncError","unreachable",true]`, `return await s.history(id).then(() => "told", (e) => [e.name, e.code, e.retryable])`)
}
