package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const ready = `return document.documentElement?.dataset.ready ?? ""`

func (tb *tab) demo(url string) {
	tb.t.Helper()
	tb.run("front", cdp.BringToFront()) // a hidden page has no focus, and no screenshot
	tb.goTo(url)
	tb.eventually(`"yes"`, ready)
}

func (tb *tab) add(title string) {
	tb.t.Helper()
	tb.run("add "+title, chromedp.SendKeys(".new-todo", title+kb.Enter, chromedp.ByQuery))
}

func (tb *tab) click(selector string) {
	tb.t.Helper()
	tb.run("click "+selector, chromedp.Click(selector, chromedp.ByQuery))
}

// axe looks for what keeps people out, in light and dark.
func (tb *tab) axe() {
	tb.t.Helper()
	script, err := os.ReadFile(filepath.Join(root, "js/node_modules/axe-core/axe.min.js"))
	if err != nil {
		tb.t.Fatal(err)
	}
	for _, look := range []string{"light", "dark"} {
		var ignored any
		tb.run("axe", emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}),
			chromedp.Evaluate(string(script)+";0", &ignored))
		tb.want(`[]`, `
			await Promise.all(document.getAnimations().map((a) => a.finished));
			const result = await axe.run({resultTypes: ["violations"]});
			return result.violations.map((v) => [v.impact, v.id, v.nodes.map((n) => n.html + n.failureSummary).join("; ")])`)
	}
}

// shot keeps a picture of the page for people, where SCREENSHOTS names a folder.
func (tb *tab) shot(name string) {
	tb.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, look := range []string{"light", "dark"} {
		for _, width := range []int64{390, 1024} {
			var png []byte
			tb.run("screenshot", chromedp.EmulateViewport(width, 700),
				emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look}}),
				chromedp.CaptureScreenshot(&png))
			file := filepath.Join(dir, strings.Join([]string{name, look, strconv.Itoa(int(width))}, "-")+".png")
			if err := os.WriteFile(file, png, 0o644); err != nil {
				tb.t.Fatal(err)
			}
		}
	}
}

const shown = `return [...document.querySelectorAll(".todo-list li label")].map((t) => t.textContent)`

// The demo is TodoMVC to the letter of its public specification.
func TestTodoMVC(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	one.demo(s.url + "/demo/?stream=spec")
	text := func(selector string) string {
		return `return document.querySelector("` + selector + `").textContent.trim()`
	}
	const classes = `return [...document.querySelectorAll(".todo-list li")].map((li) => li.className.replace(/ ?pending/, ""))`

	// No todos: main and footer are hidden; the field for new ones has the focus.
	one.want(`[true,true,true]`, `return [document.getElementById("main").hidden, document.getElementById("footer").hidden, document.activeElement.matches("input.new-todo")]`)
	one.axe()
	one.shot("empty")

	// New todos: appended, trimmed, never empty; the field is cleared.
	one.add("  one  ")
	one.add("   ")
	one.do(`document.querySelector(".new-todo").value = ""`)
	one.add("two")
	one.add("<b>three</b> & \"quoted\"")
	one.eventually(`["one","two","<b>three</b> & \"quoted\""]`, shown)
	one.want(`""`, `return document.querySelector(".new-todo").value`)
	one.want(`[false,false]`, `return [document.getElementById("main").hidden, document.getElementById("footer").hidden]`)
	one.want(`["3 items left","3"]`, `const c = document.querySelector(".todo-count"); return [c.textContent, c.querySelector("strong").textContent]`)

	// Item: the checkbox toggles completed.
	one.click(".todo-list li:nth-child(2) .toggle")
	one.eventually(`["","completed",""]`, classes)
	one.want(`"2 items left"`, "%s", text(".todo-count"))
	one.want(`"Clear completed"`, "%s", text(".clear-completed"))

	// Mark all as complete follows the items, and they follow it.
	one.want(`false`, `return document.querySelector(".toggle-all").checked`)
	one.click(".toggle-all")
	one.eventually(`["completed","completed","completed"]`, classes)
	one.click(".todo-list li:nth-child(1) .toggle")
	one.eventually(`false`, `return document.querySelector(".toggle-all").checked`)
	one.want(`"1 item left"`, "%s", text(".todo-count"))
	one.click(".todo-list li:nth-child(1) .toggle")
	one.eventually(`true`, `return document.querySelector(".toggle-all").checked`)
	one.click(".toggle-all")
	one.eventually(`["","",""]`, classes)
	one.want(`true`, `return document.querySelector(".clear-completed").hidden`)

	// Editing: by double click; saved by Enter and on blur, trimmed; left by Escape; an empty title removes.
	edit := func(n int) {
		t.Helper()
		one.run("edit", chromedp.DoubleClick(fmt.Sprintf(".todo-list li:nth-child(%d) label", n), chromedp.ByQuery))
		one.want(`[true,true]`, `const li = document.querySelector(".todo-list li:nth-child(%d)"); return [li.classList.contains("editing"), document.activeElement === li.querySelector("input.edit")]`, n)
	}
	edit(1)
	one.run("type", chromedp.SendKeys("input.edit", kb.End+" and more  "+kb.Enter, chromedp.ByQuery))
	one.eventually(`["one and more","two","<b>three</b> & \"quoted\""]`, shown)
	one.want(`0`, `return document.querySelectorAll(".editing, .edit").length`)
	edit(2)
	one.run("type", chromedp.SendKeys("input.edit", "nothing of this"+kb.Escape, chromedp.ByQuery))
	one.want(`["one and more","two","<b>three</b> & \"quoted\""]`, shown)
	edit(2)
	one.do(`const input = document.querySelector("input.edit"); input.value = " 2 "; input.blur()`)
	one.eventually(`["one and more","2","<b>three</b> & \"quoted\""]`, shown)
	edit(3)
	one.do(`document.querySelector("input.edit").value = "  "`)
	one.run("type", chromedp.SendKeys("input.edit", kb.Enter, chromedp.ByQuery))
	one.eventually(`["one and more","2"]`, shown)
	one.run("by keyboard", chromedp.Focus(".todo-list li:nth-child(2) label", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.End+"!"+kb.Enter))
	one.eventually(`["one and more","2!"]`, shown)
	one.want(`"LABEL"`, `return document.activeElement.tagName`)

	// Routing: filtered, kept on reload, the link selected.
	one.click(".todo-list li:nth-child(1) .toggle")
	for route, want := range map[string]string{"active": `["2!"]`, "completed": `["one and more"]`, "": `["one and more","2!"]`} {
		one.click(`.filters a[href="#/` + route + `"]`)
		one.eventually(want, shown)
		one.want(`["#/`+route+`"]`, `return [...document.querySelectorAll(".filters .selected")].map((a) => a.hash)`)
	}
	one.goTo(s.url + "/demo/?stream=spec#/active")
	one.reload()
	one.eventually(`["2!"]`, shown)
	one.click(".todo-list li .toggle") // hidden by the filter
	one.eventually(`[]`, shown)
	one.do(`location.hash = "#/"`)
	one.eventually(`["completed","completed"]`, classes)
	one.axe()

	// Removal.
	one.run("remove", chromedp.Focus(".todo-list li:first-child .destroy", chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	one.eventually(`["2!"]`, shown)
	one.click(".clear-completed")
	one.eventually(`true`, `return document.getElementById("main").hidden && document.getElementById("footer").hidden && !document.querySelector(".toggle-all").checked`)
	one.eventually(`0`, `return document.querySelectorAll(".mark:not(:empty)").length`)
	if len(*one.console) > 0 {
		t.Errorf("the console has:\n%s", strings.Join(*one.console, "\n"))
	}
}

// Two browsers, and the switch that takes one of them offline.
func TestDemoAcrossBrowsers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	one.demo(s.url + "/demo/?stream=home")
	one.add("Buy milk")
	one.add("Call the harbour")
	one.eventually(`"Live"`, `return document.getElementById("badge-state").textContent`)
	two := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	two.demo(s.url + "/demo/?stream=home")
	two.eventually(`2`, `return document.querySelectorAll(".todo-list li").length`)

	one.click("#offline")
	one.add("Written offline")
	one.click(".todo-list li:first-child .toggle")
	one.eventually(`"Offline"`, `return document.getElementById("badge-state").textContent`)
	one.eventually(`true`, `return document.getElementById("badge-next").textContent.startsWith("2 changes are kept here")`)
	one.eventually(`2`, `return document.querySelectorAll(".mark:not(:empty)").length`)
	one.axe()
	one.shot("offline")
	two.want(`2`, `return document.querySelectorAll(".todo-list li").length`)
	one.click("#offline")
	two.eventually(`3`, `return document.querySelectorAll(".todo-list li").length`)
	two.eventually(`true`, `return document.querySelector(".todo-list .toggle").checked`)
	one.eventually(`0`, `return document.querySelectorAll(".mark:not(:empty)").length`)
	two.shot("live")
	if len(*one.console)+len(*two.console) > 0 {
		t.Errorf("the console has:\n%s\n%s", strings.Join(*one.console, "\n"), strings.Join(*two.console, "\n"))
	}
}

// Two replicas on one page, each with its own network.
func TestTwoPhones(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	one.demo(s.url + "/demo/phones.html")
	type_ := func(phone, text string) {
		t.Helper()
		one.run("type", chromedp.SendKeys(`[data-phone="`+phone+`"] .add`, text+kb.Enter, chromedp.ByQuery))
	}
	notes := func(phone string) string {
		return `return [...document.querySelectorAll('[data-phone="` + phone + `"] .notes input')].map((i) => i.value)`
	}
	type_("A", "from A")
	one.eventually(`["from A"]`, "%s", notes("B"))
	one.click(`[data-phone="A"] .switch input`)
	one.click(`[data-phone="B"] .switch input`)
	type_("A", "A offline")
	type_("B", "B offline")
	one.eventually(`["from A","A offline"]`, "%s", notes("A"))
	one.eventually(`["from A","B offline"]`, "%s", notes("B"))
	one.want(`[1,1]`, `return ["A", "B"].map((p) => document.querySelectorAll('[data-phone="' + p + '"] .notes .pending').length)`)
	one.want(`1`, `return document.querySelectorAll(".log li").length`)
	one.axe()
	one.shot("phones-offline")
	one.click(`[data-phone="B"] .switch input`)
	one.eventually(`2`, `return document.querySelectorAll(".log li").length`)
	one.click(`[data-phone="A"] .switch input`)
	one.eventually(`["from A","A offline","B offline"]`, "%s", notes("A"))
	one.eventually(`["from A","A offline","B offline"]`, "%s", notes("B"))
	one.eventually(`true`, `return [...document.querySelectorAll('[data-phone="A"] .steps li')].some((li) => li.textContent === "1 pending taken back → 1 entry of the log applied → 1 applied again")`)
	one.eventually(`["3A: create “A offline”","2B: create “B offline”","1A: create “from A”"]`, `return [...document.querySelectorAll(".log li")].map((li) => li.textContent)`)
	one.shot("phones")
	if len(*one.console) > 0 {
		t.Errorf("the console has:\n%s", strings.Join(*one.console, "\n"))
	}
}

// The inspector shows what another tab of the same profile holds and does.
func TestInspector(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url+"/empty.html"), b.open(s.url+"/empty.html")
	one.demo(s.url + "/demo/?stream=seen")
	one.add("Seen")
	one.eventually(`"Live"`, `return document.getElementById("badge-state").textContent`)
	two.demo(s.url + "/demo/inspector/")
	part := func(name string) string {
		return `return document.querySelector("#panel > section").shadowRoot.querySelector('[data-part="` + name + `"]').textContent`
	}
	has := func(name, text string) {
		t.Helper()
		two.eventually(`true`, "%s).includes(%q)", strings.Replace(part(name), "return ", "return (", 1), text)
	}
	has("about", "1 open · Strandline • TodoMVC leads")
	has("streams", "seenlive1")
	has("pending", "Nothing is pending.")
	has("local", "records,")
	has("log", `"Seen"`)
	has("wakeups", "Strandline • TodoMVC")
	has("wakeups", "a new local action")
	has("rows", "Seen")
	has("health", "indexedDB: ok")
	one.click("#offline")
	one.add("Not sent")
	has("pending", `"Not sent"`)
	has("why", "There is no network")
	two.want(`["seen"]`, `
		const db = await new Promise((r) => { const q = indexedDB.open("strandline/todos-demo/"); q.onsuccess = () => r(q.result) });
		const keys = await new Promise((r) => { const q = db.transaction("records").objectStore("records").getAllKeys(); q.onsuccess = () => r(q.result) });
		db.close();
		return [...new Set(keys.map(([stream]) => stream))]`) // it opens nothing
	two.axe()
	two.shot("inspector")
	two.want(`""`, "%s", part("problem"))
	if len(*two.console) > 0 {
		t.Errorf("the console has:\n%s", strings.Join(*two.console, "\n"))
	}
}

// The service worker opens the demo from cold without a network, and with no server at all.
func TestDemoOpensOfflineFromCold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	profile := t.TempDir()
	a := openBrowser(t, profile)
	one := a.open(s.url + "/empty.html")
	one.demo(s.url + "/demo/")
	one.add("Kept")
	one.do(`await navigator.serviceWorker.ready`)
	one.eventually(`true`, `return navigator.serviceWorker.controller !== null`)
	one.do(`const db = await indexedDB.databases(); if (db.length !== 1) throw new Error(JSON.stringify(db))`)
	one.eventually(`"Live"`, `return document.getElementById("badge-state").textContent`)
	a.kill()
	s.kill()

	a = openBrowser(t, profile)
	one = a.open("about:blank")
	one.demo(s.url + "/demo/?stream=todos")
	one.eventually(`["Kept"]`, shown)
	const records = `const db = await new Promise((r) => { const q = indexedDB.open("strandline/todos-demo/"); q.onsuccess = () => r(q.result) });
		const n = await new Promise((r) => { const c = db.transaction("records").objectStore("records").count(); c.onsuccess = () => r(c.result) }); db.close(); return n`
	before, _ := strconv.Atoi(one.do(records))
	one.add("Added without a server")
	one.eventually(strconv.Itoa(before+1), records) // durable
	one.reload()
	one.eventually(`"yes"`, ready)
	one.eventually(`["Kept","Added without a server"]`, shown)
	one.eventually(`"No answer"`, `return document.getElementById("badge-state").textContent`)
	one.shot("no-server")
	s.start()
	one.do(`dispatchEvent(new Event("online"))`)
	one.eventually(`["Live","All changes are sent."]`, `return ["badge-state", "badge-next"].map((id) => document.getElementById(id).textContent)`)
	if log := s.log("todos"); !strings.Contains(log, "Added without a server") {
		t.Fatal(log)
	}
}

// A new version comes under open tabs: the old one goes on whole until people take the new one up, then every tab does, and no typed
// text is lost.
func TestDemoUpdatesUnderOpenTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	folder := filepath.Join(webRoot, "update")
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.CopyFS(folder, os.DirFS(filepath.Join(root, "web-demo/dist"))); err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t, t.TempDir())
	one := b.open(s.url + "/empty.html")
	one.demo(s.url + "/update/")
	one.do(`await navigator.serviceWorker.ready`)
	one.eventually(`true`, `return navigator.serviceWorker.controller !== null`)
	two := b.open(s.url + "/empty.html")
	two.demo(s.url + "/update/")
	two.want(`true`, `return navigator.serviceWorker.controller !== null`)
	before := two.do(`return caches.keys()`)

	// The next version: the old one's files are gone from the server.
	edit := func(name string, change func(string) string) {
		t.Helper()
		path := filepath.Join(folder, name)
		b, err := os.ReadFile(path)
		if err == nil {
			next := change(string(b))
			if next == string(b) {
				t.Fatalf("%s does not change", name)
			}
			err = os.WriteFile(path, []byte(next), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	old, err := filepath.Glob(filepath.Join(folder, "strandline.??????????.js"))
	if err != nil || len(old) != 1 {
		t.Fatal(old, err)
	}
	was, is := filepath.Base(old[0]), "strandline.00000000ff.js"
	if err := os.Rename(old[0], filepath.Join(folder, is)); err != nil {
		t.Fatal(err)
	}
	rename := func(text string) string { return strings.ReplaceAll(text, was, is) }
	edit("app.js", func(text string) string { return rename(text) + `document.documentElement.dataset.version = "next";` })
	edit("sw.js", func(text string) string { return rename(text) + "\n// the next version" })
	edit("sw.js", func(text string) string {
		name := strings.Trim(strings.Split(before, ",")[0], `[]"`)
		version := strings.TrimPrefix(name, "strandline-demo-")
		return strings.ReplaceAll(text, version, "next")
	})

	const versions = `return [document.documentElement?.dataset.version ?? "old", document.getElementById("update")?.hidden]`
	one.do(`await (await navigator.serviceWorker.ready).update()`)
	one.eventually(`["old",false]`, versions)
	two.eventually(`["old",false]`, versions)
	one.add("Written under the old version")
	two.eventually(`["Written under the old version"]`, shown)
	two.reload() // and a tab that is loaded anew has all of the old one
	two.eventually(`"yes"`, ready)
	two.eventually(`["old",false]`, versions)
	two.eventually(`["Written under the old version"]`, shown)

	two.run("type", cdp.BringToFront(), chromedp.SendKeys(".new-todo", "Half a tho", chromedp.ByQuery))
	one.run("front", cdp.BringToFront())
	one.click("#update button")
	one.eventually(`["next",true]`, versions)
	one.eventually(`["Written under the old version"]`, shown)
	two.want(`["old","Half a tho"]`, `return [document.documentElement.dataset.version ?? "old", document.querySelector(".new-todo").value]`)
	one.do(`const db = await new Promise((r) => { const q = indexedDB.open("strandline/todos-demo/"); q.onsuccess = () => r(q.result) });
		const records = db.transaction("records", "readwrite").objectStore("records");
		window.holds = true; // and what is written meanwhile waits
		const hold = () => window.holds ? records.count().onsuccess = hold : db.close();
		await new Promise((r) => records.count().onsuccess = () => r(hold()))`)
	two.run("type on", cdp.BringToFront(), chromedp.SendKeys(".new-todo", "ught"+kb.Enter, chromedp.ByQuery))
	two.eventually(`["Written under the old version","Half a thought"]`, shown)
	two.want(`["old",""]`, `await new Promise((r) => setTimeout(() => setTimeout(r)));
		return [document.documentElement.dataset.version ?? "old", document.querySelector(".new-todo").value]`)
	one.do(`window.holds = false`)
	two.eventually(`["next",true]`, versions)
	for _, tab := range []*tab{one, two} {
		tab.eventually(`["Written under the old version","Half a thought"]`, shown)
	}
	one.want(`["strandline-demo-next"]`, `return caches.keys()`)
}

// What did not go as meant is shown, with the way back: undo and redo by button and keyboard, refused actions, conflicts, and a mode without any.
func TestDemoShowsWhatDidNotGoAsMeant(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--max-action", "2000")
	a, b := openBrowser(t, t.TempDir()), openBrowser(t, t.TempDir())
	one, two := a.open(s.url+"/empty.html"), b.open(s.url+"/empty.html")
	one.demo(s.url + "/demo/")
	two.demo(s.url + "/demo/")
	const said = `return document.getElementById("said").textContent`
	one.click("#undo")
	one.eventually(`"There is nothing to undo."`, said)
	one.add("Buy milk")
	one.add("Learn to sail")
	one.click("#undo")
	one.eventually(`["Buy milk"]`, shown)
	one.click("#redo")
	one.eventually(`["Buy milk","Learn to sail"]`, shown)
	one.run("keys", chromedp.KeyEvent("z", chromedp.KeyModifiers(input.ModifierCtrl)))
	one.eventually(`["Buy milk"]`, shown)
	one.run("keys", chromedp.KeyEvent("z", chromedp.KeyModifiers(input.ModifierCtrl|input.ModifierShift)))
	one.eventually(`["Buy milk","Learn to sail"]`, shown)
	one.eventually(`"Done again."`, said)

	// Refused: it leaves the list of todos, and waits in a tray.
	one.do(`document.querySelector(".new-todo").value = "long ".repeat(500)`)
	one.run("enter", chromedp.SendKeys(".new-todo", kb.Enter, chromedp.ByQuery))
	const tray = `const t = document.getElementById("%s"); return t.hidden ? "hidden" : [t.querySelector("summary").textContent, t.querySelectorAll("li").length]`
	one.eventually(`["Refused by the server (1)",1]`, tray, "refused")
	one.eventually(`["Buy milk","Learn to sail"]`, shown)
	one.axe()
	one.shot("refused")
	one.click("#refused li button")
	one.eventually(`"hidden"`, tray, "refused")
	one.eventually(`3`, `return document.querySelectorAll(".todo-list li").length`)
	one.do(`document.querySelector(".new-todo").value = "longer ".repeat(500)`)
	one.run("enter", chromedp.SendKeys(".new-todo", kb.Enter, chromedp.ByQuery))
	one.eventually(`["Refused by the server (1)",1]`, tray, "refused")
	one.click("#refused li button:nth-of-type(2)")
	one.eventually(`"hidden"`, tray, "refused")

	// A conflict: both see it, and who lost can have the own value again.
	two.eventually(`3`, `return document.querySelectorAll(".todo-list li").length`)
	rename := func(tb *tab, title string) {
		t.Helper()
		tb.run("front", cdp.BringToFront(), chromedp.DoubleClick(".todo-list li:first-child label", chromedp.ByQuery))
		tb.do(`document.querySelector(".edit").value = ""`)
		tb.run("rename", chromedp.SendKeys(".edit", title+kb.Enter, chromedp.ByQuery))
	}
	one.run("offline", cdp.BringToFront(), chromedp.Click("#offline", chromedp.ByQuery))
	two.run("offline", cdp.BringToFront(), chromedp.Click("#offline", chromedp.ByQuery))
	rename(one, "Buy oat milk")
	rename(two, "Buy soy milk")
	one.run("online", cdp.BringToFront(), chromedp.Click("#offline", chromedp.ByQuery))
	one.eventually(`"All changes are sent."`, `return document.getElementById("badge-next").textContent`)
	two.run("online", cdp.BringToFront(), chromedp.Click("#offline", chromedp.ByQuery))
	two.eventually(`["Conflicts (1)",1]`, tray, "conflicts")
	one.eventually(`["Conflicts (1)",1]`, tray, "conflicts")
	one.run("front", cdp.BringToFront(), chromedp.Click("#conflicts summary", chromedp.ByQuery))
	one.eventually(`"title: “Buy soy milk” took the place of your “Buy oat milk”."`, `return document.querySelector("#conflicts p").textContent`)
	one.axe()
	one.shot("conflicts")
	one.click("#conflicts button")
	two.eventually(`"Buy oat milk"`, `return document.querySelector(".todo-list label").textContent`)

	// Conflict-free: what exists is read-only offline.
	one.click("#free")
	one.eventually(`[true,"todos~free"]`, `return [document.getElementById("free")?.checked, document.getElementById("stream")?.textContent]`)
	one.eventually(`"yes"`, ready)
	one.add("Only one at a time")
	one.eventually(`["Live","All changes are sent."]`, `return ["badge-state", "badge-next"].map((id) => document.getElementById(id).textContent)`)
	one.eventually(`[""]`, `return [...document.querySelectorAll(".mark")].map((m) => m.textContent)`)
	one.click("#offline")
	one.eventually(`["read-only offline"]`, `return [...document.querySelectorAll(".mark")].map((m) => m.textContent)`)
	one.add("Made offline")
	one.eventually(`["read-only offline","not sent yet"]`, `return [...document.querySelectorAll(".mark")].map((m) => m.textContent)`)
	one.axe()
	one.shot("conflict-free")
}
