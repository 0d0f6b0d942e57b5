package e2e

import (
	"strings"
	"testing"

	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// The element says how a database stands, in words and as an attribute; the guard holds a page that would lose something; the badge counts.
func TestStatusElement(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--max-action", "2000")
	one := openBrowser(t, t.TempDir()).open(s.url)
	one.do(`
		window.badges = [];
		navigator.setAppBadge = async (n) => badges.push(n);
		navigator.clearAppBadge = async () => badges.push(0);
		window.status_ = await import("/dist/status.js");
		window.el = document.createElement("strandline-status");
		document.documentElement.lang = "en";
		const main = document.body.appendChild(document.createElement("main"));
		main.append(Object.assign(document.createElement("h1"), {textContent: "Status"}), el);
		window.says = () => [el.shadowRoot.textContent, el.getAttribute("state"), el.hasAttribute("refused"), el.getAttribute("role")]`)
	one.want(`["",null,false,"status"]`, `return says()`) // nothing is known yet
	one.start("")
	one.do(`el.db = db; window.end = status_.badge(db)`)
	one.eventually(`["Saved","saved",false,"status"]`, `return says()`)
	s.kill()
	one.do(`await s.create("todo", {title: "a"}); await s.create("todo", {title: "b"})`)
	one.eventually(`["Offline, 2 waiting","offline",false,"status"]`, `return says()`)
	one.do(`await s.create("todo", {title: "x".repeat(3000)})`)
	s.start()
	one.do(`db.sync().catch(() => {})`)
	one.eventually(`["1 refused","saved",true,"status"]`, `return says()`)
	one.want(`true`, `const last = badges.at(-1); return last === 1 && badges.includes(3)`)
	one.do(`el.words = {...status_.words, refused: (n) => n + " abgelehnt"}; await s.create("todo", {title: "c"}); await s.settled()`)
	one.eventually(`["1 abgelehnt","saved",true,"status"]`, `return says()`)
	one.do(`await s.discard(s.rejected()[0].action.id)`)
	one.eventually(`["Saved","saved",false,"status"]`, `return says()`)
	one.axe()

	// The guard: nothing is lost with a page whose browser keeps what is pending, and something is where it does not.
	const asks = `const e = new Event("beforeunload", {cancelable: true}); dispatchEvent(e); return e.defaultPrevented`
	one.do(`window.unguard = status_.guardUnload(db)`)
	s.kill()
	one.do(`await s.create("todo", {title: "kept"})`)
	one.want(`false`, asks)
	one.do(`unguard(); window.unguard = status_.guardUnload(db, {unsent: true})`)
	one.want(`true`, asks)
	one.do(`unguard()`)
	one.want(`false`, asks)
	one.do(`
		window.memory = await strandline.open({name: "memory", storage: "memory"});
		status_.guardUnload(memory);
		await (await memory.stream("a")).create("todo", {})`)
	one.eventually(`true`, asks)
	one.do(`await memory.close()`)
	one.want(`false`, asks)
	one.do(`el.remove(); end(); await db.close(); el.db = null`)
}

// What is typed into the demo before its program is there is not lost (F21).
func TestTypedBeforeTheProgram(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	release := s.hold(true)
	one := openBrowser(t, t.TempDir()).open(s.url + "/empty.html")
	one.goTo(s.url + "/demo/")
	one.eventually(`true`, `return document.querySelector(".new-todo") === document.activeElement`)
	one.add("Typed early")
	one.add("And another")
	one.want(`[]`, shown)
	release()
	one.eventually(`["Typed early","And another"]`, shown)
}

// The inspector asks the contexts that have a database open: it says why something is stuck, and has them do what may help. It is of use on a phone.
func TestInspectorSaysWhy(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--max-action", "2000")
	b := openBrowser(t, t.TempDir())
	one, two := b.open(s.url), b.open(s.url)
	one.start("")
	two.run("front", cdp.BringToFront()) // it does nothing while nobody sees it
	two.do(`
		await import("/dist/inspector.js");
		window.el = document.createElement("strandline-inspector");
		el.setAttribute("database", "none"); el.setAttribute("server", location.origin);
		document.documentElement.lang = "en";
		window.main = document.body.appendChild(document.createElement("main"));
		main.append(Object.assign(document.createElement("h1"), {textContent: "Inspector"}), el);
		window.part = (name) => el.querySelector("section").shadowRoot.querySelector('[data-part="' + name + '"]');
		window.press = (label) => {
			const found = [...el.querySelector("section").shadowRoot.querySelectorAll("button")].find((b) => b.ariaLabel?.startsWith(label));
			found?.click();
			return found !== undefined;
		}`)
	two.eventually(`true`, `return part("why").textContent.includes("No page has it open")`)
	two.do(`el.remove(); el.setAttribute("database", "test"); main.append(el)`)
	has := func(part, text string) {
		t.Helper()
		two.eventually(`true`, `return part(%s).textContent.includes(%s)`, `"`+part+`"`, `"`+text+`"`)
	}
	one.do(`await s.create("todo", {title: "seen", n: 1}); await s.create("todo", {title: "other", n: 2}); await s.settled()`)
	has("rows", "seen")
	has("why", "All is sent")
	two.do(`const input = part("ask").querySelector("input"); input.value = '{"where": {"n": 2}}'; input.dispatchEvent(new Event("change"))`)
	two.eventually(`[true,false]`, `return ["other", "seen"].map((text) => part("rows").textContent.includes(text))`)
	two.do(`const input = part("ask").querySelector("input"); input.value = '{"where": 5}'; input.dispatchEvent(new Event("change"))`)
	has("problem", "/where")
	two.do(`const input = part("ask").querySelector("input"); input.value = ""; input.dispatchEvent(new Event("change"))`)
	one.do(`await s.create("todo", {title: "x".repeat(3000)}).persisted.catch(() => {})`)
	has("rejected", "too-large")
	s.kill()
	one.do(`await s.create("todo", {title: "stuck"})`)
	has("why", "The last try failed")
	has("pending", "stuck")
	two.eventually(`true`, `return Number(part("pending").querySelector('[data-title="tries"]').textContent) > 0`)
	s.start()
	two.eventually(`true`, `return press("Sync now")`)
	has("pending", "Nothing is pending.")
	two.eventually(`true`, `return press("Discard")`)
	has("rejected", "Nothing was refused.")
	one.want(`[]`, `return s.rejected()`)
	has("wakeups", "lists/1")
	has("wakeups", "200")
	// A bundle is saved by the page that has it open, and shown here; what is none is said to be none.
	two.do(`
		window.saved = null;
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { saved = blob; return make(blob) };
		window.openFile = (blob) => {
			const input = part("tools").querySelector("input[type=file]"), files = new DataTransfer();
			files.items.add(new File([blob], "bundle.jsonl"));
			input.files = files.files;
			input.dispatchEvent(new Event("change"));
		}`)
	one.do(`await s.create("todo", {title: "in a bundle"}).persisted`)
	two.eventually(`true`, `return press("Save a bundle")`)
	two.eventually(`true`, `return saved !== null`)
	two.do(`openFile(saved)`)
	has("bundle", "A bundle of test")
	has("bundle", "lists/1")
	two.shot("inspector-bundle")
	two.do(`openFile(new Blob(["{}"]))`)
	has("bundle", "This is no bundle.")
	two.want(`true`, `return press("Close the bundle")`)
	two.want(`""`, `return part("bundle").textContent`)
	// It leads nothing, and opens nothing: the page that has it open is the only one.
	has("about", "1 open")
	one.want(`true`, `return db.status.leader`)
	if got := two.do(`return performance.getEntriesByType("resource").filter((e) => /wasm|v1.sync|v1.events/.test(e.name)).length`); got != "0" {
		t.Errorf("the inspector has loaded or asked %s times what an app does", got)
	}
	// On a phone nothing is wider than it is, and a row is not a page.
	two.run("a phone", chromedp.EmulateViewport(390, 700))
	two.want(`[true,true]`, `
		const rows = [...el.querySelector("section").shadowRoot.querySelectorAll("tr")].map((r) => r.getBoundingClientRect());
		return [document.documentElement.scrollWidth <= innerWidth, rows.every((r) => r.right <= innerWidth + 1)]`)
	two.axe()
	two.shot("inspector-phone")
	two.do(`el.remove()`)
	one.do(`await db.close()`)
	if said := strings.Join(*two.console, "\n"); said != "" {
		t.Error(said)
	}
}
