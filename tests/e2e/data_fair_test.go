package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// What became of an entry is told to the context that has appended it, also where another one has dealt with it meanwhile (J1, F25); and so is its index (J11).
func TestAVerdictIsHeardByItsAuthor(t *testing.T) {
	t.Parallel()
	s := newDataSite(t, noBadWords)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	one.startData("", "")
	one.eventually(`true`, `return db.status.leader`)
	two.do(`
		window.deaf = false, window.unheard = [];
		Object.defineProperty(BroadcastChannel.prototype, "onmessage", { set(f) { this.addEventListener("message", (e) => (deaf ? unheard.push(() => f.call(this, e)) : f.call(this, e))) } })`)
	two.startData("", "")
	one.do(`window.dealt = 0; d.on("rejected", (r) => d.discard(r.id).then(() => dealt++))`)
	// It has appended, and hears nothing, as in a long task, while the leader sends, is refused and discards.
	append := func(values string, dealt int, want string) {
		t.Helper()
		two.do(`
			deaf = true;
			const writes = %s.map((v) => d.append(v));
			window.told = Promise.all(writes.map((w) => w.persisted.then((i) => i, (e) => e.name + " " + e.code)));
			await Promise.all(writes)`, values)
		one.eventually(fmt.Sprint(dealt), `return dealt`)
		two.do(`deaf = false; for (const hear of unheard.splice(0)) hear()`)
		two.want(want, `return told`)
	}
	append(`["bad", "good"]`, 1, `["RejectedError invalid",1]`)
	closeIt, _ := http.NewRequest(http.MethodPost, s.url+"/v1/data/log/1", nil)
	closeIt.Header.Set("Content-Type", "application/json")
	closeIt.Header.Set("Stream-Closed", "true")
	if resp, err := http.DefaultClient.Do(closeIt); err != nil || resp.StatusCode >= 300 {
		t.Fatal(err, resp)
	}
	append(`["late"]`, 2, `["RejectedError closed"]`)
	two.do(`await d.settled()`)
	for _, tb := range []*tab{one, two} { // and nothing of that stays
		tb.eventually(`[0,0]`, `
			const rows = await new Promise((resolve) => { const r = indexedDB.open("strandline/test//data"); r.onsuccess = () => { const q = r.result.transaction("rejected").objectStore("rejected").count(); q.onsuccess = () => { r.result.close(); resolve(q.result) } } });
			return [rows, d.rejected().length]`)
	}
}

// A large entry goes in parts, and what others append goes between them; who subscribes reads its bytes once (J3).
func TestALargeEntryKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	var parts, before atomic.Int64
	s.setFaultAt("", func(_ http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		switch {
		case r.Method != http.MethodPost:
		case strings.HasSuffix(r.URL.Path, "/data/log/1"):
			parts.Add(1)
		case strings.HasSuffix(r.URL.Path, "/data/chat"):
			before.CompareAndSwap(0, parts.Load())
		}
		return false
	})
	one.do(`
		window.read = 0;
		const bytes = Blob.prototype.arrayBuffer;
		Blob.prototype.arrayBuffer = function () { read += this.size; return bytes.call(this) }`)
	one.startData("", `{contentType: "application/octet-stream"}`)
	one.do(`
		window.chat = await db.data("chat");
		window.shown = [];
		d.subscribe((all) => shown.push(all.length));
		chat.subscribe(() => {});
		window.large = d.append(new Uint8Array(16 << 20));
		await large;
		window.parts = 0;
		await new Promise((r) => d.on("progress", () => ++parts === 2 && r()))`)
	at := parts.Load()
	one.want(`1`, `return await chat.append("hello").persisted`)
	if n := before.Load() - at; n < 0 || n > 4 {
		t.Errorf("%d parts went before a small entry of another stream", n)
	}
	one.want(`1`, `return await large.persisted`)
	one.want(`true`, `await d.settled(); return read <= 4 * (16 << 20)`) // shown, kept, and what the browser itself needs
}

// The leader forgets what contexts had open that are gone, however they went (J10).
func TestTheLeaderForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	one.startData("", "")
	one.eventually(`true`, `return db.status.leader`)
	two.startData("", "")
	two.do(`window.other = await db.data("log/2"); await other.append(1); await other.settled()`)
	var asked atomic.Int64
	s.setFaultAt("/v1/data/log/2", func(http.ResponseWriter, *http.Request, func() *http.Response) bool {
		asked.Add(1)
		return false
	})
	look := func() int64 {
		asked.Store(0)
		one.do(`
			dispatchEvent(new Event("online"));
			for (let i = 0; i < 3; i++) await d.append(i).persisted`) // turns go round: what else is due has had its own
		return asked.Load()
	}
	if look() == 0 {
		t.Fatal("what another context has open is not fetched")
	}
	two.goTo("about:blank")
	patience.True(t, "nobody asks for what nobody has open", func() bool { return look() == 0 })
}

// What is read costs what it gives, not what the log holds (J15); and a subscription shows what is kept.
func TestReadsOfALongLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	for _, n := range []int{500, 8000} {
		for i := range n / 500 {
			rows := make([]string, 500)
			for k := range rows {
				rows[k] = fmt.Sprintf(`{"n":%d,"text":"%s"}`, i*500+k, strings.Repeat("x", 100))
			}
			method := "POST"
			if i == 0 {
				s.send("PUT", fmt.Sprintf("long/%d", n), "application/json", "")
			}
			s.send(method, fmt.Sprintf("long/%d", n), "application/json", "["+strings.Join(rows, ",")+"]")
		}
	}
	one.startData("", "")
	one.do(`
		window.bytes = 0;
		const sizeOf = (row) => row?.bytes?.length ?? 0;
		const get = IDBObjectStore.prototype.get;
		IDBObjectStore.prototype.get = function (key) { const r = get.call(this, key); r.addEventListener("success", () => (bytes += sizeOf(r.result))); return r };
		const all = IDBObjectStore.prototype.getAll;
		IDBObjectStore.prototype.getAll = function (...args) { const r = all.apply(this, args); r.addEventListener("success", () => r.result.forEach((row) => (bytes += sizeOf(row)))); return r };
		const cursor = IDBObjectStore.prototype.openCursor;
		IDBObjectStore.prototype.openCursor = function (...args) { const r = cursor.apply(this, args); r.addEventListener("success", () => (bytes += sizeOf(r.result?.value))); return r };
		window.cost = async (f) => { bytes = 0; const out = await f(); return [bytes, out] };`)
	one.do(`window.a = await db.data("long/500"), window.b = await db.data("long/8000"); await db.sync()`)
	one.eventually(`[500,8000]`, `return [(await a.read()).length, (await b.read()).length]`)
	one.want(`[true,[0],[0],true,[7900]]`, `
		const [small, first] = await cost(() => a.read({limit: 1})), [large, too] = await cost(() => b.read({limit: 1}));
		const at = (await b.read())[7899].offset;
		const [late, one] = await cost(() => b.read({after: at, limit: 1}));
		const n = (list) => list.map((e) => e.value.n);
		return [large <= 2 * small, n(first), n(too), late < 1 << 20, n(one)]`)
	one.want(`[[true,499],true]`, `
		const kept = await db.data("kept", {keep: {entries: 50}});
		const shown = [];
		kept.subscribe((all, from) => shown.push(all.length));
		for (let i = 0; i < 20; i++) { for (let k = 0; k < 25; k++) kept.append({n: i * 25 + k, text: "x".repeat(3000)}); await kept.settled() }
		await new Promise((r) => setTimeout(r, 200));
		let last = []; const end = kept.subscribe((all) => { last = all }); await new Promise((r) => setTimeout(r, 200)); end();
		const read = await kept.read();
		return [[last[0].value.n >= 400, last.at(-1).value.n], shown.at(-1) === read.length && last.length === read.length && Math.max(...shown) < 200]`)
}
