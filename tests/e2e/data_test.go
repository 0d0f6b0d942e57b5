package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/tests/patience"
)

// startData opens the database "test" and the data stream "log/1", as window.db and window.d.
func (tb *tab) startData(options, of string) {
	tb.t.Helper()
	if options == "" {
		options = "{}"
	}
	if of == "" {
		of = "{}"
	}
	tb.do(`
		while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
		window.db = await strandline.open({name: "test", server: location.origin, timers: {retry: 100, idle: 60000}, ...%s});
		window.d = await db.data("log/1", %s);
		window.values = async (o) => (await d.read(o)).map((e) => e.pending ? [e.value] : e.value);`, options, of)
}

// entries reads a data stream from the server, as curl does.
func (s *site) entries(path string) string {
	s.t.Helper()
	resp, err := http.Get(s.url + "/v1/data/" + path)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

// send makes a request to a data stream, as curl does.
func (s *site) send(method, path, kind, body string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+"/v1/data/"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode >= 300 {
		s.t.Fatalf("%v, %+v", err, resp)
	}
	resp.Body.Close()
}

// What is appended without a network is read at once, and is on the server in its order when the network is back; what others append shows
// up, in every tab.
func TestDataStream(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.startData("", "")
	one.want(`[[],"-1"]`, `return [await d.read(), d.head]`)
	one.offline(true)
	one.want(`[[{"n":1}],["two"],[[3]]]`, `await d.append({n: 1}); await Promise.all([d.append("two"), d.append([3])]); return values()`)
	one.want(`[3,true,null]`, `const e = (await d.read())[0]; return [d.status.pending, e.pending, e.offset]`)
	two := b.open(s.url)
	two.offline(true)
	two.startData("", "")
	two.do(`window.seen = []; d.subscribe((entries) => seen = entries.map((e) => e.value))`)
	two.eventually(`[{"n":1},"two",[3]]`, `return seen`)
	two.do(`await d.append(4)`)
	one.offline(false)
	two.offline(false)
	one.do(`await d.settled()`)
	if got := s.entries("log/1"); got != `[{"n":1},"two",[3],4]` {
		t.Fatal(got)
	}
	s.send("POST", "log/1", "application/json", `"of curl"`)
	for _, tb := range []*tab{one, two} {
		tb.eventually(`[{"n":1},"two",[3],4,"of curl"]`, `return values()`)
	}
	two.eventually(`[{"n":1},"two",[3],4,"of curl"]`, `return seen`)
	one.eventually(`[true,"live",0,5]`, `return [(await d.read()).every((e) => typeof e.offset === "string" && !e.pending), d.status.state, d.status.pending, d.status.head]`)
	one.want(`["two",[3]]`, `const [first] = await d.read(); return values({after: first.offset, limit: 2})`)
	one.want(`6`, `return await d.append("six").persisted`)
	// Another profile, and a reload without a network.
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.startData("", "")
	other.eventually(`6`, `return (await d.read()).length`)
	one.eventually(`6`, `return (await values()).filter((v) => !Array.isArray(v) || v.length !== 1 || typeof v[0] === "number").length`)
	one.do(`await db.close()`)
	two.do(`await db.close()`)
}

// Answers are lost, connections are cut, the server and the browser are killed, two tabs append: everything is there once, in the order of each.
func TestDataStreamUnderFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	profile := t.TempDir()
	var n atomic.Int64
	s.setFaultAt("/v1/data/log/1", func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		switch n.Add(1) % 5 {
		case 1: // the answer is lost
			if resp := forward(); resp != nil {
				resp.Body.Close()
			}
			hangUp(w)
			return true
		case 3:
			hangUp(w)
			return true
		}
		return false
	})
	b := openBrowser(t, profile)
	write := func(tb *tab, who string, from, to int) {
		tb.do(`window.writing = (async () => { for (let i = %d; i < %d; i++) { await d.append({who: %q, i}); if (i %% 7 === 0) await new Promise((r) => setTimeout(r, 3)); } })()`, from, to, who)
	}
	one, two := b.open(s.url), b.open(s.url)
	for who, tb := range map[string]*tab{"a": one, "b": two} {
		tb.startData("", "")
		write(tb, who, 0, 200)
	}
	one.do(`await writing`)
	two.do(`await writing`)
	s.kill()
	s.start()
	before := n.Load()
	patience.True(t, "requests to the new server", func() bool { return n.Load() >= before+3 || one.do(`return d.status.pending`) == "0" })
	b.kill()
	b = openBrowser(t, profile)
	one = b.open(s.url)
	one.startData("", "")
	write(one, "c", 0, 100)
	one.do(`await writing; await d.settled()`)
	s.setFaultAt("", nil)
	one.want(`[500,[200,200,100]]`, `
		const all = await (await fetch("/v1/data/log/1")).json();
		const next = {a: 0, b: 0, c: 0};
		for (const e of all) if (e.i !== next[e.who]++) return "out of order, or doubled: " + JSON.stringify(e);
		return [all.length, Object.values(next)]`)
	one.eventually(`true`, `return JSON.stringify((await d.read()).map((e) => e.value)) === await (await fetch("/v1/data/log/1")).text()`)
	one.want(`0`, `return d.status.pending`)
}

// Bytes and Blobs are entries each, whatever their size; a large one goes in parts, goes on where it was cut, and tells how far it is.
func TestDataStreamOfBytes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	var parts, cut atomic.Int64
	s.setFaultAt("/v1/data/log/1", func(w http.ResponseWriter, r *http.Request, forward func() *http.Response) bool {
		if r.Header.Get("Upload-Complete") != "" && parts.Add(1) == 4 {
			cut.Add(1)
			hangUp(w)
			return true
		}
		return false
	})
	one.startData("", `{contentType: "application/octet-stream"}`)
	const size = 6<<20 + 12345
	one.do(`
		window.big = new Uint8Array(%d);
		for (let i = 0; i < big.length; i += 65536) crypto.getRandomValues(big.subarray(i, Math.min(i + 65536, big.length)));
		window.told = [];
		d.on("progress", (p) => told.push(p.sent));
		window.shown = [];
		d.live.progress.subscribe((p) => shown.push(p?.sent ?? null));
		d.append(new Uint8Array([1, 2, 3]));
		window.w = d.append(new Blob([big], {type: "image/png"}));
		d.append(new Uint8Array([4]));
		await d.settled()`, size)
	if n := parts.Load(); cut.Load() != 1 || n < 9 || n > 14 { // smaller ones, after one that did not get through
		t.Fatalf("%d parts, %d cuts", parts.Load(), cut.Load())
	}
	one.eventually(`[true,null]`, `return [shown.some((n) => n > 0), d.live.progress.current]`)
	same := `
		const entries = await d.read();
		const [, e] = entries;
		return [entries.map((e) => e.value.length), e.value.every((v, i) => v === big[i])]`
	one.eventually(fmt.Sprintf(`[[3,%d,1],true]`, size), "%s", same)
	one.want(`true`, `return told.length >= 5 && told.every((n, i) => i === 0 || n > told[i - 1])`)
	one.want(fmt.Sprintf(`[%d,true]`, size), `const e = await d.get(w.object); return [e.value.length, e.id === w.object]`)
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.startData("", "")
	other.eventually(fmt.Sprintf(`[3,%d,1]`, size), `return (await d.read()).map((e) => e.value.length)`)
	other.offline(true)
	other.want(fmt.Sprintf(`%d`, size), `return (await d.read())[1].value.length`)
}

// noBadWords is a server's ValidateData.
func noBadWords(_ context.Context, j *server.JudgedEntry) error {
	if strings.Contains(string(j.Body), "bad") {
		return errors.New("that is a bad word")
	}
	return nil
}

// What the server refuses goes to the rejected list, the rest goes on; a closed stream takes nothing, a deleted one keeps what is pending and says so.
func TestDataStreamRefusals(t *testing.T) {
	t.Parallel()
	s := newDataSite(t, noBadWords)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData("", "")
	one.do(`
		window.heard = [];
		d.on("rejected", (r) => heard.push(r.value));
		const writes = ["good", "bad 1", "better", "bad 2", "best"].map((v) => d.append(v));
		window.told = await Promise.all(writes.map((w) => w.persisted.then((i) => i, (e) => [e.name, e.code, e.message])));`)
	one.want(`[1,["RejectedError","invalid","invalid: that is a bad word"],2,["RejectedError","invalid","invalid: that is a bad word"],3]`, `return told`)
	one.eventually(`[["good","better","best"],["bad 1","bad 2"],2,["bad 1","bad 2"]]`, `return [await values(), d.rejected().map((r) => r.value), d.status.rejected, heard]`)
	one.reload()
	one.startData("", "")
	one.want(`["bad 1","bad 2"]`, `return d.rejected().map((r) => r.value)`)
	one.do(`
		const [first, second] = d.rejected();
		await d.discard(first.id);
		await d.retry(second.id);
		await d.append("last").persisted`)
	one.eventually(`["bad 2"]`, `return d.rejected().map((r) => r.value)`)
	one.want(`["NotFoundError","InvalidError /a/b","InvalidError ","InvalidError ","InvalidError /name","InvalidError /keep/days","InvalidError /contentType","InvalidError /limit"]`, `
		const told = [];
		for (const call of [() => d.discard("x"), () => d.append({a: {b: 1n}}), () => d.append(new Uint8Array([1])), () => d.append(undefined), () => db.data("a//b"), () => db.data("x", {keep: {days: 1}}),
			() => db.data("log/1", {contentType: "text/plain"}), () => d.read({limit: 0})]) {
			try { await call(); told.push("nothing") } catch (e) { told.push(e.name + (e.path === undefined ? "" : " " + e.path)) }
		}
		return told`)

	// Another page closes the stream; what is appended here is refused.
	closeIt, _ := http.NewRequest(http.MethodPost, s.url+"/v1/data/log/1", nil)
	closeIt.Header.Set("Stream-Closed", "true")
	if resp, err := http.DefaultClient.Do(closeIt); err != nil || resp.StatusCode != 204 {
		t.Fatal(resp, err)
	}
	one.want(`"closed"`, `try { await d.append("late").persisted } catch (e) { return e.code }`)
	one.want(`["good","better","best","last"]`, `return values()`)

	// It is deleted: what is pending is kept, and what was read.
	one.do(`window.e = await db.data("log/2"); await e.append(1).persisted; await e.settled()`)
	one.eventually(`[false]`, `return (await e.read()).map((x) => x.pending)`)
	s.send("DELETE", "log/2", "", "")
	one.do(`e.append(2)`)
	one.eventually(`["stopped","gone","gone",1]`, `return [e.status.state, e.status.reason, e.status.error?.code, e.status.pending]`)
	one.want(`[1,2]`, `return (await e.read()).map((x) => x.value)`)
	one.want(`["UnsentError",3]`, `try { await db.destroy() } catch (x) { return [x.name, x.pending] }`)
	one.do(`await e.restart(); await e.settled()`)
	one.eventually(`[2]`, `return (await (await fetch("/v1/data/log/2")).json())`)
	one.eventually(`[[2,false]]`, `return (await e.read()).map((x) => [x.value, x.pending])`)
	one.want(`0`, `await db.destroy({force: true}); return (await indexedDB.databases()).length`)
}

// Two copies of one profile write under one name: each goes on, nothing is lost, nothing is there twice.
func TestDataStreamOfACopiedProfile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	profile, copied := t.TempDir(), t.TempDir()
	b := openBrowser(t, profile)
	one := b.open(s.url)
	one.startData("", "")
	one.do(`await d.append("before").persisted`)
	one.offline(true)
	one.do(`await Promise.all(["x", "y"].map((v) => d.append(v)))`)
	b.kill()
	if out, err := exec.Command("cp", "-a", profile+"/.", copied).CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	var all []*tab
	for i, dir := range []string{profile, copied} {
		tb := openBrowser(t, dir).open(s.url)
		tb.startData("", "")
		tb.do(`for (let i = 0; i < 5; i++) { await d.append("own %d " + i).persisted }`, i)
		all = append(all, tb)
	}
	all[0].do(`await d.append("after").persisted`)
	all[1].do(`await d.append("also after").persisted`)
	all[0].want(`[15,15,["before","x","y"]]`, `const e = await (await fetch("/v1/data/log/1")).json(); return [e.length, new Set(e).size, e.slice(0, 3)]`)
}

// Only the newest entries are kept; those before are fetched when they are asked for.
func TestDataStreamKeepsTheNewest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all []string
	for i := range 3000 {
		all = append(all, fmt.Sprintf(`{"i":%d,"text":"%s"}`, i, strings.Repeat("x", 100)))
	}
	s.send("PUT", "log/1", "application/json", "["+strings.Join(all, ",")+"]")
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData("", `{keep: {entries: 500}}`)
	one.want(`[500,2500,2999]`, `const e = await d.read(); return [e.length, e[0].value.i, e.at(-1).value.i]`)
	one.want(`[3000,0,2999,true]`, `const e = await d.read({after: "-1"}); return [e.length, e[0].value.i, e.at(-1).value.i, e.every((x, i) => x.value.i === i)]`)
	one.want(`[2400,2409]`, `const e = await d.read({after: "-1"}); const some = await d.read({after: e[2399].offset, limit: 10}); return [some[0].value.i, some.at(-1).value.i]`)
	one.want(`[2700,2999]`, `const e = await d.read(); const some = await d.read({after: e[199].offset}); return [some[0].value.i, some.at(-1).value.i]`)
	for range 12 {
		s.send("POST", "log/1", "application/json", "["+strings.Join(all[:100], ",")+"]")
	}
	one.eventually(`true`, `const n = (await d.read()).length; return n >= 500 && n < 1700 && d.status.head === 4200`)
	one.offline(true)
	one.want(`"unreachable"`, `try { return (await d.read({after: "-1"})).length } catch (e) { return e.code }`)
	one.want(`true`, `return (await d.read()).length >= 500`)
}

// An object that refers to an entry reaches others after the entry: the action waits, and those behind it.
func TestReferenceToADataEntry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var open atomic.Bool
	s.setFaultAt("/v1/data/log/1", func(w http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		if r.Method == http.MethodGet || open.Load() {
			return false
		}
		hangUp(w)
		return true
	})
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url)
	one.startData("", `{contentType: "image/png"}`)
	one.do(`
		window.s = await db.stream("lists/1");
		await s.create("photo", {title: "before"}).persisted;
		const w = d.append(new Blob([new Uint8Array(100)]));
		await w;
		await s.create("photo", {title: "with", file: d.ref(w)});
		await s.create("photo", {title: "behind"});
		for (let i = 0; i < 3; i++) await db.sync().catch(() => {});`)
	one.want(`2`, `return s.pending().length`)
	if log := s.log("lists/1"); strings.Contains(log, `"with"`) || strings.Contains(log, `"behind"`) {
		t.Fatal(log)
	}
	// Also in a context that has opened no data stream.
	one.reload()
	one.start("")
	one.do(`for (let i = 0; i < 3; i++) await db.sync().catch(() => {})`)
	one.want(`2`, `return s.pending().length`)
	open.Store(true)
	one.do(`await s.settled()`)
	if log := s.log("lists/1"); !strings.Contains(log, `"with"`) || !strings.Contains(log, `"behind"`) {
		t.Fatal(log)
	}
	other := openBrowser(t, t.TempDir()).open(s.url)
	other.startData("", "")
	other.do(`window.s = await db.stream("lists/1")`)
	other.eventually(`[100]`, `
		const out = [];
		for (const row of s.query({where: {title: "with"}})) out.push((await d.get(row.file.entry)).value.length);
		return out`)
}
