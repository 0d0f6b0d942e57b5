package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const ready = `return document.documentElement.dataset.ready ?? ""`

func (tb *tab) demo(url string) {
	tb.t.Helper()
	tb.goTo(url)
	tb.eventually(`"yes"`, ready)
}

func (tb *tab) add(title string) {
	tb.t.Helper()
	tb.run("add "+title, chromedp.SendKeys("#title", title+kb.Enter, chromedp.ByQuery))
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

const shown = `return [...document.querySelectorAll("#todos .text")].map((t) => t.textContent ?? t.value)`

func TestDemo(t *testing.T) {
	s := newSite(t)
	a := openBrowser(t, t.TempDir())
	one := a.open(s.url + "/empty.html")
	one.demo(s.url + "/demo/?stream=home")
	one.shot("empty")
	one.add("Buy milk")
	one.add("<b>bold</b> & \"quoted\"")
	one.want(`["Buy milk","<b>bold</b> & \"quoted\""]`, shown)
	one.eventually(`"Live"`, `return document.getElementById("badge-state").textContent`)

	b := openBrowser(t, t.TempDir())
	two := b.open(s.url + "/empty.html")
	two.demo(s.url + "/demo/?stream=home")
	two.eventually(`2`, `return document.querySelectorAll("#todos li").length`)

	// The switch takes this tab offline: it works on, and says so.
	one.run("switch", chromedp.Click("#offline", chromedp.ByQuery))
	one.add("Written offline")
	one.run("check", chromedp.Click("#todos li:first-child input", chromedp.ByQuery))
	one.eventually(`"Offline"`, `return document.getElementById("badge-state").textContent`)
	one.eventually(`true`, `return document.getElementById("badge-next").textContent.startsWith("2 changes are kept here")`)
	one.eventually(`2`, `return [...document.querySelectorAll(".mark")].filter((m) => m.textContent !== "").length`)
	one.shot("offline")
	two.want(`2`, `return document.querySelectorAll("#todos li").length`)
	one.run("switch", chromedp.Click("#offline", chromedp.ByQuery))
	two.eventually(`3`, `return document.querySelectorAll("#todos li").length`)
	two.eventually(`true`, `return document.querySelector("#todos li input").checked`)
	one.eventually(`0`, `return [...document.querySelectorAll(".mark")].filter((m) => m.textContent !== "").length`)
	two.shot("live")

	// Editing by keyboard, filters, removal.
	two.run("edit", chromedp.Click("#todos li:nth-child(3) .text", chromedp.ByQuery),
		chromedp.SendKeys("#todos input.text", kb.End+" and edited"+kb.Enter, chromedp.ByQuery))
	one.eventually(`true`, `return document.body.textContent.includes("Written offline and edited")`)
	two.goTo(s.url + "/demo/?stream=home#/completed")
	two.eventually(`1`, `return document.querySelectorAll("#todos li").length`)
	two.run("clear", chromedp.Click("#clear", chromedp.ByQuery))
	one.eventually(`2`, `return document.querySelectorAll("#todos li").length`)
	one.run("remove", chromedp.Click("#todos li:first-child .remove", chromedp.ByQuery))
	two.eventually(`"1 item left"`, `return document.getElementById("left").textContent`)
	if len(*one.console)+len(*two.console) > 0 {
		t.Errorf("the console has:\n%s\n%s", strings.Join(*one.console, "\n"), strings.Join(*two.console, "\n"))
	}
}

// The service worker opens the demo from cold without a network, and with no server at all.
func TestDemoOpensOfflineFromCold(t *testing.T) {
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
