package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

// newRuledSite serves the test pages, and streams under a rule of the app's own.
func newRuledSite(t *testing.T, rule func(context.Context, *server.Judged) error) *site {
	t.Helper()
	return newConfiguredSite(t, server.Config{Validate: rule})
}

// newDataSite does so for data streams.
func newDataSite(t *testing.T, rule func(context.Context, *server.JudgedEntry) error) *site {
	t.Helper()
	return newConfiguredSite(t, server.Config{ValidateData: rule})
}

func newConfiguredSite(t *testing.T, c server.Config) *site {
	t.Helper()
	engine, err := sqlite.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.Engine, c.Auth, c.Log = engine, server.None(), slog.New(slog.DiscardHandler)
	s := server.New(c)
	mux := http.NewServeMux()
	mux.Handle("/v1/", s)
	mux.Handle("/", http.FileServer(http.Dir(webRoot)))
	web := httptest.NewServer(mux)
	t.Cleanup(func() { s.Close(); web.Close(); engine.Close() })
	return &site{t: t, url: web.URL}
}

// What the server refuses leaves the queue with what builds on it, and waits on a list, also after a reload, until it is dealt with.
func TestRefusedActionsWaitUntilTheyAreDealtWith(t *testing.T) {
	t.Parallel()
	s := newRuledSite(t, func(_ context.Context, j *server.Judged) error {
		if strings.Contains(j.Action.Raw, `"title":"bad`) { // an id may hold the word too
			return errors.New("that is a bad word")
		}
		return nil
	})
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`
		window.heard = [];
		s.on("rejected", (r) => heard.push(r.code));
		const writes = [s.create("todo", {title: "good"}), s.create("todo", {title: "bad", n: 1})];
		writes.push(s.update(writes[1].object, {n: 2}), s.create("todo", {title: "also good"}));
		window.told = await Promise.all(writes.map((w) => w.persisted.then((i) => i, (e) => [e.name, e.code, e.action.id === w.action])));
		window.ids = writes.map((w) => w.action)`)
	one.want(`[1,["RejectedError","invalid",true],["RejectedError","depends",true],2]`, `return told`)
	one.eventually(`["invalid","depends"]`, `return heard`)
	const list = `return s.rejected().map((r) => [r.code, r.message, r.because === ids[1], ids.indexOf(r.action.id), r.at > 1e12, Object.isFrozen(r.action.ops)])`
	const both = `[["depends","it builds on a refused action",true,2,true,true],["invalid","that is a bad word",false,1,true,true]]`
	one.want(both, list)
	one.want(`[2,["also good","good"]]`, `return [s.status.rejected, titles()]`)
	ids := one.do(`return ids`)
	one.reload()
	one.start("")
	one.do(`await s.ready`)
	one.do(`window.ids = %s`, ids)
	one.want(both, list)

	one.want(`[["NotFoundError","not-found"],["NotFoundError","not-found"],["NotFoundError","not-found"],["InvalidError","invalid"],["NotFoundError","not-found"]]`, `
		const fails = (f) => f().then(() => "did not fail", (e) => [e.name, e.code]);
		return Promise.all([() => s.retry(ids[0]), () => s.retry("nope"), () => s.discard(ids[0]), () => s.retry(ids[1], {title: undefined, n: NaN}), () => s.retry(ids[2])].map(fails))`)
	one.want(both, list)
	one.want(`[1,["also good","good"],["also good","better","good"],3]`, `
		const before = titles(), w = s.retry(ids[1], {title: "better"});
		const left = s.rejected().length; // at once
		await w;
		return [left, before, titles(), await w.persisted]`)
	one.want(`[0,null]`, `const done = await s.discard(ids[2]); return [s.rejected().length, done ?? null]`)
	one.reload()
	one.start("")
	one.do(`await s.ready`)
	one.want(`[0,0,["also good","better","good"]]`, `return [s.rejected().length, s.status.rejected, titles()]`)
	if n := strings.Count(s.log("lists/1"), `"id":`); n != 3 {
		t.Fatalf("%d entries: %s", n, s.log("lists/1"))
	}
}

// Whoever wrote one side of a conflict finds both on a list, after a reload too, and can have the value that lost again.
func TestConflictsAreReportedAndRestored(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	one, two := a.open(s.url), b.open(s.url)
	one.start("")
	two.start("")
	object := one.do(`window.id = await s.create("todo", {title: "new", n: 1}); await s.settled(); return id`)
	two.eventually(`1`, `return s.count()`)
	two.do(`window.id = %s`, object)
	for _, tb := range []*tab{one, two} {
		tb.do(`window.heard = []; s.on("conflict", (c) => heard.push(c.kind))`)
		tb.offline(true)
	}
	one.do(`await s.update(id, {title: "first", n: 2})`)
	two.do(`await s.update(id, {title: "second"})`)
	one.offline(false)
	one.do(`await s.settled()`)
	two.offline(false)
	two.do(`await s.settled()`)
	const list = `return s.conflicts().map((c) => [c.kind, c.key, c.mine ?? null, c.theirs ?? null, c.base ?? null, c.reason, c.other?.client !== s.client, c.object === id, c.index])`
	two.eventually(`[["overwrote","title","second","first","new",null,true,true,3]]`, list)
	one.eventually(`[["overwritten","title","first","second","new",null,true,true,3]]`, list)
	one.want(`["overwritten"]`, `return heard`)
	two.want(`["overwrote"]`, `return heard`)

	one.reload()
	one.start("")
	one.do(`await s.ready`)
	one.do(`window.id = %s`, object)
	one.want(`["second","first"]`, `const before = s.get(id).title; await s.restore(s.conflicts()[0]); return [before, s.get(id).title]`)
	one.do(`await s.settled()`)
	two.eventually(`"first"`, `return s.get(id).title`)
	two.do(`await s.remove(id); await s.settled()`)
	one.eventually(`0`, `return s.count()`)
	one.want(`[["NotFoundError","not-found"],["NotFoundError","not-found"],["InvalidError","invalid"],0]`, `
		const fails = (w) => w.then(() => "did not fail", (e) => [e.name, e.code]);
		const c = s.conflicts()[0];
		return [await fails(s.restore(c)), await fails(s.restore({...c, index: 99})), await fails(s.restore("x")), s.pending().length]`)
}

// Undo takes back what this browser did, step by step, and nothing that others have done since.
func TestUndoAndRedo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	one, two := a.open(s.url), b.open(s.url)
	one.start("")
	two.start("")
	const nothing = `const fails = (w) => w.then(() => "did not fail", (e) => [e.name, e.code, e instanceof strandline.NothingToUndoError]);`
	one.want(`[["NothingToUndoError","nothing-to-undo",true],["NothingToUndoError","nothing-to-undo",true]]`, nothing+`return [await fails(s.undo()), await fails(s.redo())]`)
	object := one.do(`
		window.id = await s.create("list", {title: "List", n: 0});
		await s.update(id, {title: "Renamed"});
		await s.transact((tx) => { tx.update(id, {n: strandline.increment(5)}); tx.create("todo", {title: "In it"}) });
		await s.settled();
		return id`)
	const state = `return s.query({orderBy: "title"}).map(({id, type, ...rest}) => rest)`
	one.want(`{"skipped":[]}`, `return await s.undo()`) // a transaction is one step
	one.want(`[{"n":0,"title":"Renamed"}]`, state)
	one.want(`{"skipped":[]}`, `return await s.undo()`)
	one.want(`[{"n":0,"title":"List"}]`, state)
	one.reload()
	one.start("")
	one.do(`window.id = %s`, object)
	one.do(`await s.redo(); await s.redo()`)
	one.want(`[{"title":"In it"},{"n":5,"title":"Renamed"}]`, state)
	one.want(`["NothingToUndoError","nothing-to-undo",true]`, nothing+`return fails(s.redo())`)
	one.do(`await s.undo(); await s.settled()`)

	// What another browser has written stands, and is said.
	two.do(`window.id = %s`, object)
	two.eventually(`"Renamed"`, `return s.get(id)?.title`)
	two.do(`await s.update(id, {title: "Theirs"}); await s.settled()`)
	one.eventually(`"Theirs"`, `return s.get(id).title`)
	one.do(`await s.update(id, {n: 7, m: 1}); await s.settled()`)
	two.eventually(`7`, `return s.get(id).n`)
	two.do(`await s.update(id, {m: 2}); await s.settled()`)
	one.eventually(`2`, `return s.get(id).m`)
	one.want(`[{"object":"yes","key":"m"}]`, `const {skipped} = await s.undo(); return skipped.map((k) => ({...k, object: k.object === id ? "yes" : "no"}))`)
	one.want(`[{"m":2,"n":0,"title":"Theirs"}]`, state)
	one.want(`["NothingToUndoError","nothing-to-undo",true]`, nothing+`return fails(s.undo())`) // the rename is theirs now, and so is the object
	one.want(`[{"m":2,"n":0,"title":"Theirs"}]`, state)
}

// In conflict-free mode what exists is read-only without the server, new objects are their maker's alone until they are sent, and nobody
// What is typed is one step of undo, also when it was sent in between and after a reload; a button knows whether there is one.
func TestAGroupIsOneStep(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.start("")
	one.do(`
		window.states = [];
		s.live.undoable.subscribe((u) => states.push([u.undo, u.redo]));
		const {object: id} = s.create("note", {text: "", n: 0});
		window.id = id;
		await s.update(id, {n: 1});
		const typing = s.group();
		for (const text of ["h", "he", "hel"]) await s.update(id, {text});
		await s.settled();
		s.edit(id, (note) => { note.text = "hell"; });
		s.transact((tx) => tx.update(id, {text: "hello"}));
		typing();
		await s.update(id, {text: "hello!"}).persisted`)
	const text = `const {text, n} = s.get(id); return [text, n, s.undoable().undo, s.undoable().redo]`
	one.want(`["hello!",1,true,false]`, text)
	one.want(`["hello",1,true,true]`, `await s.undo(); `+text)
	one.reload()
	one.start("")
	one.do(`[window.id] = s.query().map((row) => row.id); await s.ready`)
	one.want(`["",1,true,true]`, `await s.undo(); `+text)
	one.want(`["hello",1,true,true]`, `await s.redo(); `+text)
	one.want(`["hello!",1,true,false]`, `await s.redo(); `+text)
	one.want(`[true,false,["",0]]`, `
		for (let i = 0; i < 3; i++) await s.undo();
		const {text, n} = s.get(id);
		await s.undo();
		return [!s.get(id), s.undoable().undo, [text, n]]`)
}

// What listens ends by its function, by using, and by a signal; what is open ends by await using.
func TestWhatListensEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.startData("", "")
	one.want(`[[3,3,3,3,3],"closed","closed"]`, `
		const dispose = Symbol.dispose ?? Symbol.for("Symbol.dispose"), asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");
		const s = await db.stream("lists/1");
		await d.append({n: 0}).persisted; await s.settled();
		const ways = [
			(on) => { const end = on(); end(); return end },
			(on) => { const end = on(); end[dispose](); return end },
			(on) => { const a = new AbortController(), end = on(a); a.abort(); return end },
			(on) => on({signal: AbortSignal.abort()}),
		];
		const counts = [];
		for (const on of [
			(fn, o) => s.subscribe({}, fn, o), (fn, o) => s.on("status", fn, o), (fn, o) => d.subscribe(fn, o), (fn, o) => d.on("status", fn, o), (fn, o) => s.live({}).subscribe(fn, o),
		]) {
			let ended = 0;
			for (const way of ways) {
				let called = 0;
				way((o = {}) => on(() => called++, o));
				await s.create("todo", {title: "x"});
				await d.append({n: 1});
				await new Promise((r) => setTimeout(r, 20));
				if (called === 0) ended++;
			}
			counts.push(ended - 1);
		}
		await d[asyncDispose]();
		await db[asyncDispose]();
		return [counts, (await d.closed).code, (await s.closed).code]`)
}

// overwrites anybody.
func TestConflictFreeMode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	one, two := a.open(s.url), b.open(s.url)
	for _, tb := range []*tab{one, two} {
		tb.do(`
			while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
			window.db = await strandline.open({name: "free", server: location.origin, timers: {idle: 300, retry: 300}});
			window.s = await db.stream("free/1", {conflictFree: true});
			window.fails = (w) => w.then(() => "did not fail", (e) => [e.name, e.code]);
			await db.sync();`)
	}
	one.want(`["invalid","/conflictFree"]`, `return db.stream("free/1", {conflictFree: false}).catch((e) => [e.code, e.path])`)
	object := one.do(`window.id = await s.create("todo", {title: "new"}); await s.settled(); return id`)
	two.do(`window.id = %s`, object)
	two.eventually(`"yes"`, `return s.writable(id)`) // the lock has ended
	two.do(`await s.update(id, {title: "theirs"}); await s.settled()`)
	one.eventually(`"theirs"`, `return s.get(id).title`)

	one.offline(true)
	one.eventually(`["offline",true]`, `return [s.writable(id), s.status.error !== null]`) // a request under way may still have come through
	one.want(`[["ReadOnlyOfflineError","read-only-offline"],["ReadOnlyOfflineError","read-only-offline"],0]`, `return [await fails(s.update(id, {title: "mine"})), await fails(s.remove(id)), s.pending().length]`)
	one.want(`["yes","edited","missing"]`, `
		window.mine = await s.create("todo", {title: "made offline"});
		const may = s.writable(mine);
		await s.update(mine, {title: "edited"});
		return [may, s.get(mine).title, s.writable("01890000-0000-7000-8000-000000000000")]`)
	one.do(`window.seen = db.trace().at(-1)?.at ?? 0`)
	one.eventually(`true`, `return db.trace().filter((w) => w.at > seen).length >= 3`) // some tries later
	one.want(`["yes","edited again"]`, `
		await s.update(mine, {title: "edited again"});
		return [s.writable(mine), s.get(mine).title]`)
	one.offline(false)
	one.eventually(`["yes",0]`, `return [s.writable(id), s.status.pending]`)
	two.eventually(`["edited again","theirs"]`, `return s.query({orderBy: "title"}).map((r) => r.title)`)
	one.reload() // the mode is kept
	one.do(`
		while (!window.strandline) await new Promise((r) => setTimeout(r, 10));
		window.db = await strandline.open({name: "free", server: location.origin, timers: {idle: 300, retry: 300}});
		window.s = await db.stream("free/1");
		window.fails = (w) => w.then(() => "did not fail", (e) => [e.name, e.code])`)
	one.want(`["InvalidError","invalid"]`, `await s.close(); return fails(db.stream("free/1", {conflictFree: false}))`)

	// Whoever is late is told, and what the other has written stands.
	one.do(`window.s = await db.stream("free/1"); window.id = %s; await db.sync()`, object)
	caught, goOn := make(chan bool, 1), make(chan bool)
	s.setFault(func(_ http.ResponseWriter, r *http.Request, _ func() *http.Response) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if strings.Contains(string(body), "too late") {
			caught <- true
			<-goOn
		}
		return false
	})
	one.do(`window.late = s.update(id, {title: "too late"})`)
	<-caught
	two.do(`await s.update(id, {title: "first"}); await s.settled()`)
	s.setFault(nil)
	close(goOn)
	one.want(`["ConflictError","conflict"]`, `return fails(late.persisted)`)
	one.want(`"first"`, `return s.get(id).title`)
	one.want(`[["discarded","guard","title","too late","first"]]`, `return s.conflicts().map((c) => [c.kind, c.reason, c.key, c.mine, c.theirs])`)
	two.want(`[]`, `return s.conflicts()`)
}

// An invalid write never becomes an action, whoever wrote the rules.
func TestValidators(t *testing.T) {
	t.Parallel()
	entry := `
		import { z } from "zod";
		import * as v from "valibot";
		import { type } from "arktype";
		window.schemas = {
			zod: z.object({ title: z.string().min(1), n: z.number().max(9).optional(), tags: z.array(z.string()).optional() }),
			arktype: type({ title: "string >= 1", "n?": "number <= 9", "tags?": "string[]" }),
			valibot: v.object({ title: v.pipe(v.string(), v.minLength(1)), n: v.optional(v.pipe(v.number(), v.maxValue(9))), tags: v.optional(v.array(v.string())) }),
		};`
	r := api.Build(api.BuildOptions{Stdin: &api.StdinOptions{Contents: entry, ResolveDir: filepath.Join(root, "js")}, Bundle: true, Format: api.FormatIIFE})
	if len(r.Errors) > 0 {
		t.Fatal(r.Errors[0].Text)
	}
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`%s; while (!window.strandline) await new Promise((r) => setTimeout(r, 10))`, string(r.OutputFiles[0].Contents))
	for _, kind := range []string{"zod", "valibot", "arktype"} {
		one.want(`[["InvalidError","/title"],["InvalidError","/n"],["InvalidError","/title"],["InvalidError","/n"],["InvalidError","/tags/0"],["InvalidError","/n"],["InvalidError","/1/n"],["InvalidError","/0/title"],["plain"],1,1]`, `
			const db = await strandline.open({name: "%[1]s"});
			const s = await db.stream("a", {schema: {todo: schemas.%[1]s}});
			const fails = (w) => w.then(() => "did not fail", (e) => [e.name, e.path]);
			const id = await s.create("todo", {title: "ok", n: 5});
			const out = [
				await fails(s.create("todo", {title: ""})),
				await fails(s.create("todo", {title: "x", n: 10})),
				await fails(s.update(id, {title: strandline.unset()})),
				await fails(s.update(id, {n: strandline.increment(5)})),
				await fails(s.update(id, {tags: strandline.union(1)})),
				await fails(s.edit(id, (draft) => { draft.n = 11 })),
				await fails(s.transact((tx) => { tx.update(id, {n: 9}); tx.update(id, {n: strandline.increment()}) })),
				await fails(s.transact((tx) => { tx.create("todo", {n: 1}) })),
			];
			await s.create("other", {anything: 1});
			out.push(s.query({type: "other"}).map(() => "plain"), s.count({type: "todo"}), s.get(id).n === 5 ? s.pending().filter((a) => a.ops[0].type !== "other").length : "changed");
			await db.destroy({force: true});
			return out`, kind)
	}
	one.want(`["InvalidError","/schema/todo"]`, `const db = await strandline.open({name: "x"}); return db.stream("a", {schema: {todo: 1}}).catch((e) => [e.name, e.path])`)
	one.want(`["InvalidError","/conflictfree"]`, `const db = await strandline.open({name: "x"}); return db.stream("b", {conflictfree: true}).catch((e) => [e.name, e.path])`)
}
