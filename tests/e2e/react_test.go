package e2e

import (
	"path/filepath"
	"strings"
	"testing"
)

// strandline/react in an app that Vite has built, with React 18 and 19: StrictMode, two components over one database, mounts and unmounts, an end from outside, a first
// render without a browser. The first code that anyone writes without the hooks works too (J2).
func TestReact(t *testing.T) {
	t.Parallel()
	app := installed(t)
	b := openBrowser(t, t.TempDir())
	for _, version := range []string{"18", "19"} {
		t.Run(version, func(t *testing.T) {
			s := newSite(t)
			name := map[string]string{"18": "react-dist18", "19": "react-dist"}[version]
			command(t, app, "vite", "build", "--config", "react.config.js", "--mode", version)
			publish(t, filepath.Join(app, name), name)
			tb := b.open(s.url + "/" + name + "/")
			tb.t = t
			const texts = `const text = (at) => [...document.querySelectorAll(at)].map((e) => e.textContent);`
			tb.eventually(`["open","open"]`, texts+`return text("h1")`)
			tb.want(`"`+version+`"`, `return version.split(".")[0]`)
			had := tb.do(texts + `return Number(text("#count")[0])`)
			tb.do(`document.querySelector("#list0 button").click()`)
			tb.eventually(`[1,1,"known"]`, texts+`return [...text("#count").map((n) => n - %s), text("#state")[0]]`, had)
			tb.eventually(`true`, texts+`const [a, b] = text("#naive"); return a === b && a === (1 + %s) + " 0" && text("#list0 li").join() === text("#list1 li").join()`, had)
			// What does not change is not rendered: one more todo renders its own items.
			tb.do(`await new Promise((r) => setTimeout(r, 100)); window.items = counts.item; document.querySelector("#list1 button").click()`)
			tb.eventually(`true`, texts+`return text("#list0 li").length === %s + 2`, had)
			tb.want(`true`, `return counts.item - items <= 8`) // two lists, each twice in StrictMode, and once more when it subscribes
			// One goes, the other one goes on; both go, and nothing is open; they come back.
			tb.do(`show(1)`)
			tb.eventually(`["open"]`, texts+`return text("h1")`)
			tb.do(`document.querySelector("#list0 button").click()`)
			tb.eventually(`true`, texts+`return text("#list0 li").length === %s + 3`, had)
			tb.do(`show(0)`)
			tb.eventually(`true`, unopened)
			tb.do(`show(2)`)
			tb.eventually(`["open","open"]`, texts+`return text("h1")`)
			// The end is shown, and nothing is thrown.
			tb.do(`const db = await open(options); await db.destroy({force: true})`)
			tb.eventually(`["closed","closed"]`, texts+`return text("h1")`)
			if len(*tb.console) > 0 {
				t.Error(*tb.console)
			}
		})
	}
	t.Run("hot", func(t *testing.T) {
		s := newSite(t)
		tb := b.open(develop(t, app, s.url, "--config", "react.config.js", "--mode", "19"))
		tb.t = t
		const texts = `const text = (at) => [...document.querySelectorAll(at)].map((e) => e.textContent);`
		tb.eventually(`["open","open"]`, texts+`return text("h1")`)
		tb.do(`window.before = true; document.querySelector("#list0 button").click()`)
		tb.eventually(`["todo 0"]`, texts+`return text("#list1 li")`)
		edit(t, filepath.Join(app, "react/app.jsx"), "two lists", "two lists of todos")
		tb.eventually(`["two lists of todos","open",["todo 0"],true]`, texts+`return [text("h2")[0], text("h1")[0], text("#list1 li"), window.before]`)
		tb.do(`show(0)`)
		tb.eventually(`true`, unopened)
	})
	t.Run("on a server", func(t *testing.T) {
		command(t, app, "npm", "install", "--offline", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps",
			filepath.Join(root, "tests/pack/node_modules/react"), filepath.Join(root, "tests/pack/node_modules/react-dom"), filepath.Join(root, "tests/pack/node_modules/scheduler"))
		if html := command(t, app, "node", "react/server.mjs"); !strings.Contains(html, "<h1>opening</h1>") || !strings.Contains(html, `<p id="count">0</p>`) {
			t.Fatal(html)
		}
	})
}
