package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/client/replay"
)

// A browser's database is exported, goes on in a Go program to the same state, and what is unsent in it is taken over by another browser: once, though
// it is imported twice, and though the first browser comes back and sends it, too.
func TestABundle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := openBrowser(t, t.TempDir()).open(s.url), openBrowser(t, t.TempDir()).open(s.url)
	a.start(`{timers: {idle: 200, retry: 100}}`)
	a.do(`
		const made = await s.create("todo", Array.from({length: 1500}, (_, i) => ({title: "secret " + "x".repeat(300) + i, votes: 0})));
		window.id = made[0];
		await s.settled();
		window.photos = await db.data("photos", {contentType: "image/png"});
		await photos.append(new Uint8Array([1, 2, 3])).persisted;
		window.other = await db.stream("lists/2");
		await other.create("todo", {title: "secret, of another"}).persisted;
		await other.close()`)
	s.kill()
	a.do(`
		await s.update(id, {title: "secret new", votes: strandline.increment(1)});
		await s.create("todo", {title: "secret \"unsent\" é 💡"});
		await photos.append(new Uint8Array(300_000).fill(7));
		window.bundle = await db.export();
		window.redacted = await db.export({redact: true})`)
	read := func(name string) (string, *replay.Bundle) {
		t.Helper()
		var text string
		if err := json.Unmarshal([]byte(a.do(`return await window[%s].text()`, `"`+name+`"`)), &text); err != nil {
			t.Fatal(err)
		}
		r, err := replay.Read(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%v: %.2000s", err, text)
		}
		return text, r
	}
	text, bundle := read("bundle")
	masked, redacted := read("redacted")
	for _, r := range []*replay.Bundle{bundle, redacted} {
		if len(r.Streams) != 2 || len(r.Turns) == 0 || len(r.Data) != 1 {
			t.Fatalf("%d streams, %d turns, %d entries", len(r.Streams), len(r.Turns), len(r.Data))
		}
		for _, s := range r.Streams {
			same := false
			rep, err := s.Replay(func(step *replay.Step) error { same = same || step.Same; return nil })
			if err != nil || !same {
				t.Fatalf("%s: %v; as in the page: %v, at %+v", s.Name, err, same, s.Stand)
			}
			want := map[string]int{"lists/1": 1501, "lists/2": 1}[s.Name]
			if n := rep.State().Len(); n != want {
				t.Fatalf("%s has %d objects", s.Name, n)
			}
		}
	}
	whole := masked
	for _, s := range redacted.Streams {
		for i := range s.Remains.Records {
			whole += string(s.Remains.Records[i].Bytes)
		}
		for i := range s.Remains.Pages {
			whole += string(s.Remains.Pages[i].Bytes)
		}
		whole += string(s.Remains.Spare)
	}
	if strings.Contains(whole, "secret") || strings.Contains(whole, "xxxxxxxx") || !strings.Contains(whole, "title") {
		t.Error("a redacted bundle has what was written, or has no names")
	}
	t.Logf("a bundle of 1,501 objects has %d bytes", len(text))

	// The command says the same.
	file := filepath.Join(t.TempDir(), "bundle.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("../../bin/strandline", "replay", "--steps", file).CombinedOutput()
	if err != nil || strings.Count(string(out), "as in the page") != 2 || !strings.Contains(string(out), "1501 objects") {
		t.Errorf("%v\n%s", err, out)
	}

	// Another browser takes over what is unsent; then the first one sends it, too.
	a.do(`await db.close()`)
	s.start()
	encoded, _ := json.Marshal(text)
	b.start(`{timers: {idle: 200, retry: 100}}`)
	b.do(`window.text = %s`, string(encoded))
	b.want(`[3,0,0,3]`, `
		const first = await db.import(text);
		await s.settled();
		const second = await db.import(new Blob([text]));
		return [first.imported.length, first.known.length, second.imported.length, second.known.length]`)
	a.start(`{timers: {idle: 200, retry: 100}}`)
	a.do(`window.photos = await db.data("photos"); await s.settled(); await photos.settled(); await db.sync()`)
	for _, p := range []*tab{a, b} {
		p.eventually(`[1501,1,true]`, `
			const row = s.query({where: {title: "secret new"}})[0];
			return [s.count(), row?.votes, s.query().some((r) => r.title === "secret \"unsent\" é 💡")]`)
		p.eventually(`[3,300000]`, `return (await (await db.data("photos")).read()).map((e) => e.value.length)`)
	}

	// Nothing of what is no bundle, cut, redacted, newer or somebody else's is taken over.
	b.want(`["/1","/1","/1/bundle","last line","/1/redacted","/1/user","/1/database"]`, `
		const cut = text.slice(0, text.length - 30), lines = text.split("\n"), other = (change) => [JSON.stringify({...JSON.parse(lines[0]), ...change}), ...lines.slice(1)].join("\n");
		const all = ["", "{}\n", '{"bundle":2}\n', cut, other({redacted: true}), other({user: "eve"}), other({database: "another"})];
		const out = [];
		for (const bad of all) out.push(await db.import(bad).then(() => "taken", (e) => (e.message.includes("last line") || /no line/.test(e.message) && bad === cut ? "last line" : e.path)));
		return out`)
	b.want(`[]`, `return s.pending()`)
}
