//go:build mutants

package units

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// Bugs of the way from the core to the table, each planted by itself: what the simulator writes finds it, or the table's own tests.
var mutants = []struct{ name, file, old, new, by string }{
	{"a changed id is lost", "core/rows/rows.go", "n.Add(d.Shown)", "n.Add(d.Shown[:len(d.Shown)/2])", "replay"},
	{"a reload of the whole state is not told", "core/rows/rows.go", "if d.All {", "if d.All && !n.known {", "replay"},
	{"an own write is not told", "tests/sim/feed_test.go", "f.news.Add(ids)", "_ = ids", "replay"},
	{"an object that is gone is not told", "core/rows/rows.go", `append(id.Append(append(gone, '"')), '"')`, "gone", "replay"},
	{"an id waits for ever", "core/rows/rows.go", "n.ids, n.once = kept, len(kept)", "n.ids, n.once = kept[:len(kept)/2], len(kept)/2", "replay"},
	{"half of a turn is shown", "js/src/rows/rows.ts", "if (more) return false;", "if (more) return this.#land(), false;", "replay"},
	{"what is gone under another program stays", "js/src/rows/rows.ts", "if (this.#whole && this.#full) for", "if (false) for", "replay"},
	{"a row stays as it was", "js/src/rows/table.ts", "if (before && equal(before, row) && unviewed(before) === unviewed(row)) continue;", "if (before) continue;", "replay"},
	{"rows stand in a wrong order", "js/src/rows/view.ts", "if (this.query.before(this.rows[mid]!, row) < 0)", "if (this.query.before(this.rows[mid]!, row) <= 0)", "table"},
	{"many changes at once lose the order", "js/src/rows/view.ts", "while (i < rows.length && before(rows[i]!, row) < 0)", "while (i < rows.length && before(rows[i]!, row) > 0)", "table"},
	{"the second change of a row hides the first", "js/src/rows/table.ts", "if (!this.#since.has(id)) this", "this", "table"},
	{"who was there before is not told", "js/src/rows/notifier.ts", "for (const entry of this.#entries) entry.owed = merged(entry.owed, changes);", ";", "table"},
	{"rows of an older record are taken for those of now", "js/src/rows/rows.ts", "if (this.#lsn !== null && source.known(this.#lsn))", "if (source.known(this.#lsn ?? -1) || this.#lsn !== null)", "boot"},
	{"a record without its text is passed over", "js/src/boot/early.ts", "if (log.length !== at.length || !log.every((lsn, i) => lsn === first + i && at[i] === lsn)) return 1;", "", "boot"},
	{"what is pending is forgotten before the program", "js/src/boot/early.ts", "for (const row of ownRows) pending.add(row.id);", "", "boot"},
	{"the wrong order: what is pending lies below", "js/src/boot/early.ts", "    await take(shown);\n", "    if (i > 0 || first === 0) await take(shown);\n", "boot"},
	{"wrong rows are not found out", "js/src/rows/rows.ts", "if (right && more)", "if (more || true)", "boot"},
	{"an index keeps what has left it", "js/src/rows/exact.ts", "if (there?.delete(before) && there.size === 0)", "if (there?.size === 0)", "table"},
	{"a view forgets rows that leave it", "js/src/rows/view.ts", "if (had) this.rows.splice(from, 1);", "", "table"},
}

func TestMutants(t *testing.T) {
	clean := changes(t, 24)
	for _, m := range mutants {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			path, _ := filepath.Abs("../../" + m.file)
			text, err := os.ReadFile(path)
			if err != nil || strings.Count(string(text), m.old) != 1 {
				t.Fatalf("%s does not have %q once (%v)", m.file, m.old, err)
			}
			broken := strings.Replace(string(text), m.old, m.new, 1)
			dir, plugins := clean, []api.Plugin(nil)
			if strings.HasSuffix(path, ".go") {
				file := filepath.Join(t.TempDir(), "mutant.go")
				overlay := filepath.Join(t.TempDir(), "overlay.json")
				list, _ := json.Marshal(map[string]any{"Replace": map[string]string{path: file}})
				for name, text := range map[string][]byte{file: []byte(broken), overlay: list} {
					if err := os.WriteFile(name, text, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				dir = changes(t, 24, "-overlay", overlay)
			} else {
				plugins = []api.Plugin{{Name: "mutant", Setup: func(b api.PluginBuild) {
					b.OnLoad(api.OnLoadOptions{Filter: `/` + filepath.Base(path) + `$`}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
						return api.OnLoadResult{Contents: &broken, Loader: api.LoaderTS}, nil
					})
				}}}
			}
			if out, err := run(t, t.TempDir(), dir, m.by, plugins); err == nil {
				t.Errorf("it is not found\n%s", out)
			}
		})
	}
}
