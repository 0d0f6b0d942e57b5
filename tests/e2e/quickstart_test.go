package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The guide's quick start of each framework, as it stands there: in an empty folder, with the package installed, built, opened. It shows rows, and what another one writes.
func TestQuickStarts(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join(root, "docs/FRAMEWORKS.md"))
	if err != nil {
		t.Fatal(err)
	}
	app := installed(t)
	frameworks(t, app)
	b := openBrowser(t, t.TempDir())
	const div = `document.getElementById("app")`
	for _, c := range []struct{ name, file, main, text string }{
		{"React", "List.jsx", "main.jsx", `import { createRoot } from "react-dom/client"; import { List } from "./List.jsx"; createRoot(` + div + `).render(<List />);`},
		{"Vue", "List.vue", "main.js", `import { createApp } from "vue"; import List from "./List.vue"; createApp(List).mount("#app");`},
		{"Svelte", "List.svelte", "main.js", `import { mount } from "svelte"; import List from "./List.svelte"; mount(List, { target: ` + div + ` });`},
		{"Solid", "List.jsx", "main.jsx", `import { render } from "solid-js/web"; import { List } from "./List.jsx"; render(() => <List />, ` + div + `);`},
		{"Angular", "list.ts", "main.ts", `import "@angular/compiler"; import { provideZonelessChangeDetection } from "@angular/core";
			import { bootstrapApplication } from "@angular/platform-browser"; import { List } from "./list.ts";
			` + div + `!.append(document.createElement("app-list")); bootstrapApplication(List, { providers: [provideZonelessChangeDetection()] });`},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := regexp.MustCompile("(?s)## " + c.name + "\n\n```[a-z]+\n(.*?)```").FindSubmatch(guide)
			if found == nil {
				t.Fatal("the guide has none")
			}
			mode := "quick-" + strings.ToLower(c.name)
			dir := filepath.Join(app, mode)
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			expose := `import { open } from "strandline"; window.open_ = open;` + "\n"
			for name, text := range map[string]string{
				"index.html":    `<!doctype html><html lang="en"><title>Quick start</title><div id="app"></div><script type="module" src="./` + c.main + `"></script>`,
				c.file:          string(found[1]),
				c.main:          strings.ReplaceAll(expose+c.text, "window.open_", "(window as any).open_"),
				"tsconfig.json": `{"compilerOptions": {"target": "es2022", "experimentalDecorators": true, "useDefineForClassFields": true, "jsx": "react-jsx"}}`,
			} {
				if !strings.HasSuffix(name, ".ts") {
					text = strings.ReplaceAll(text, "(window as any)", "window")
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s := newSite(t)
			command(t, app, "vite", "build", "--config", "frameworks.config.js", "--mode", mode)
			publish(t, filepath.Join(app, mode+"-dist"), mode)
			tb := b.open(s.url + "/" + mode + "/")
			tb.t = t
			tb.eventually(`true`, `return document.querySelector("ul") !== null`)
			tb.do(`
				const db = await open_({ name: "my-app", server: location.origin }), todos = await db.stream("lists/42");
				await todos.create("todo", [{ title: "b", done: false }, { title: "a", done: false }, { title: "done", done: true }]);
				await db.close()`)
			tb.eventually(`["a","b"]`, `return [...document.querySelectorAll("li")].map((e) => e.textContent)`)
			if len(*tb.console) > 0 {
				t.Error(*tb.console)
			}
		})
	}
}
