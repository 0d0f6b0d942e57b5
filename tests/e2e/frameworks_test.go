package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Bindings for Vue, Svelte, Solid and Angular, each in an app that its own people's tools have built: rows, one object, how the stream stands, a write, a refusal; a component that goes
// leaves nothing behind, and one that comes back has all.
func TestFrameworks(t *testing.T) {
	t.Parallel()
	app := installed(t)
	frameworks(t, app)
	b := openBrowser(t, t.TempDir())
	for _, name := range []string{"vue", "svelte", "solid", "angular"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, "--max-action", "2000")
			command(t, app, "vite", "build", "--config", "frameworks.config.js", "--mode", name)
			publish(t, filepath.Join(app, name+"-dist"), name+"-dist")
			tb := b.open(s.url + "/" + name + "-dist/")
			tb.t = t
			const texts = `const text = (at) => [...document.querySelectorAll(at)].map((e) => e.textContent), first = (at) => text(at)[0];`
			click := func(id string) { tb.do(`document.getElementById(%s).click()`, `"`+id+`"`) }
			tb.eventually(`["open","live",0]`, texts+`return [first("h1"), first("#state"), text("li").length]`)
			click("add")
			tb.eventually(`["todo 0",["todo 0"]]`, texts+`return [first("#first"), text("li")]`)
			click("add")
			tb.eventually(`["todo 0","todo 1"]`, texts+`return text("li")`)
			if name == "svelte" {
				tb.eventually(`"2"`, texts+`return first("#store")`)
			}
			// What is refused is shown, and what it was about.
			click("bad")
			tb.eventually(`["too-large",2]`, texts+`return [first("#refused"), text("li").length]`)
			// Another one's write comes, and one object changes.
			tb.do(`const db = await open(options), s = await db.stream("frameworks/list"); await s.update(s.query({type: "todo", orderBy: "title"})[0].id, {title: "a first"}); await db.close()`)
			tb.eventually(`["a first",["a first","todo 1"]]`, texts+`return [first("#first"), text("li")]`)
			// It goes, and nothing is open; it comes back.
			tb.do(`await show(false)`)
			tb.eventually(`true`, unopened)
			tb.do(`await show(true)`)
			tb.eventually(`["open",["a first","todo 1"],"too-large"]`, texts+`return [first("h1"), text("li"), first("#refused")]`)
			// The end is shown, and nothing is thrown.
			tb.do(`const db = await open(options); await db.destroy({force: true})`)
			tb.eventually(`"closed"`, texts+`return first("h1")`)
			if len(*tb.console) > 0 {
				t.Error(*tb.console)
			}
		})
	}
	// While it is developed: a component that is edited takes the place of the one before, and what that had open is let go of. Angular without its own server reloads the page.
	for name, file := range map[string]string{"vue": "vue/List.vue", "svelte": "svelte/List.svelte", "solid": "solid/list.jsx", "angular": "angular/main.ts"} {
		t.Run(name+", hot", func(t *testing.T) {
			s := newSite(t)
			tb := b.open(develop(t, app, s.url, "--config", "frameworks.config.js", "--mode", name))
			tb.t = t
			const texts = `const text = (at) => [...document.querySelectorAll(at)].map((e) => e.textContent), first = (at) => text(at)[0];`
			tb.eventually(`["open","live"]`, texts+`return [first("h1"), first("#state")]`)
			tb.do(`window.before = true; document.getElementById("add").click()`)
			tb.eventually(`["todo 0"]`, texts+`return text("li")`)
			edit(t, filepath.Join(app, file), ">too much<", ">too much!<")
			kept := name != "angular"
			tb.eventually(fmt.Sprintf(`["too much!","open",["todo 0"],%v]`, kept), texts+`return [first("#bad"), first("h1"), text("li"), window.before === true]`)
			tb.do(`await show(false)`)
			tb.eventually(`true`, unopened)
		})
	}
	t.Run("types", func(t *testing.T) {
		command(t, app, "tsc", "--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--lib", "es2022,dom", "--module", "esnext", "--moduleResolution", "bundler", "frameworks.ts")
	})
}

// frameworks gives an app what it would have installed: links to what the package is tried with.
func frameworks(t *testing.T, app string) {
	t.Helper()
	tools := filepath.Join(root, "tests/pack/node_modules")
	entries, err := os.ReadDir(tools)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		to := filepath.Join(app, "node_modules", e.Name())
		if _, err := os.Lstat(to); err == nil || e.Name() == ".bin" || e.Name() == ".package-lock.json" {
			continue
		}
		if err := os.Symlink(filepath.Join(tools, e.Name()), to); err != nil {
			t.Fatal(err)
		}
	}
}

// unopened says whether nobody has the app's database open.
const unopened = `
	const db = await open(options); // a new one, then
	const fresh = Object.keys(db.status.streams).length === 0;
	await db.close();
	return fresh`

// edit changes a file of an app.
func edit(t *testing.T, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil && strings.Count(string(text), old) != 1 {
		t.Fatalf("%s does not have %q once", path, old)
	}
	if err == nil {
		err = os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
