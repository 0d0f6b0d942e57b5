package e2e

import "testing"

// A bit of a local log flips on the disk. The page opens what can be read, with all that is unsent elsewhere, and says so; a repair reads the
// server's log anew and sends the rest once, also where it has to wait for the network, and where two tabs ask for it.
func TestADamagedLocalLogIsRepaired(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	p := b.open(s.url)
	p.start(`{timers: {idle: 200, retry: 100}}`)
	p.do(`for (let i = 0; i < 5; i++) await s.create("todo", {title: "sent" + i}); await s.settled()`)
	q, r := b.open(s.url), b.open(s.url)
	s.kill()
	p.do(`for (let i = 0; i < 5; i++) await s.create("todo", {title: "unsent" + i}); await db.close()`)
	p.do(`
		const idb = await new Promise((r) => { const q = indexedDB.open("strandline/test/"); q.onsuccess = () => r(q.result) });
		const tx = idb.transaction("records", "readwrite"), store = tx.objectStore("records");
		const keys = await new Promise((r) => { store.getAllKeys().onsuccess = (e) => r(e.target.result) });
		const mine = keys.filter(([stream]) => stream === "lists/1"), key = mine.at(-2);
		const value = await new Promise((r) => { store.get(key).onsuccess = (e) => r(e.target.result) });
		value[40] ^= 4;
		store.put(value, key);
		await new Promise((r) => { tx.oncomplete = r });
		idb.close()`)
	for _, p := range []*tab{q, r} {
		p.start(`{timers: {idle: 200, retry: 100}}`)
		p.do(`window.unchecked = true; await s.ready`) // the rows that are stored beside the log have what that lost, until they are compared
		p.eventually(`9`, `return s.query({type: "todo"}).length`)
		p.do(`window.unchecked = false`)
		p.eventually(`["stopped","corrupt","corrupt"]`, `return [s.status.state, s.status.reason, s.status.error?.code]`)
		p.want(`["unsent0","unsent1","unsent2","unsent4"]`, `return s.pending().map((a) => a.ops[0].fields.title)`)
		p.want(`"corrupt"`, `return await s.create("todo", {title: "no"}).then(() => "written", (e) => e.code)`)
		p.do(`window.repaired = null; s.repair().then(() => { repaired = "yes" }, (e) => { repaired = e.code })`)
	}
	s.start()
	for _, p := range []*tab{q, r} {
		p.eventually(`"yes"`, `return repaired`)
		p.eventually(`["live",0,9]`, `return [s.status.state, s.pending().length, s.query({type: "todo"}).length]`)
		p.want(`[["repaired",1,0]]`, `return s.resets().map((r) => [r.reason, r.unreadable, r.unknown.length + r.lost.length])`)
	}
	for _, p := range []*tab{q, r} {
		p.do(`await s.create("todo", {title: "after"}).persisted`)
	}
	q.eventually(`11`, `return s.query({type: "todo"}).length`)
	q.want(`"unsent0,unsent1,unsent2,unsent4"`, `return s.query({type: "todo"}).map((r) => r.title).filter((t) => t.startsWith("unsent")).sort().join()`)
	again := b.open(s.url)
	again.start(`{timers: {idle: 200, retry: 100}}`)
	again.eventually(`["live",11]`, `return [s.status.state, s.query({type: "todo"}).length]`)
}
