//go:build mutants

package datasim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

// Bugs of data streams, each planted by itself: the histories find it.
var mutants = []struct{ name, file, old, new string }{
	{"a request is told apart from none", "producer.ts", "({ ...p, seq: p.seq + 1, batch: 0,", "({ ...p, batch: 0,"},
	{"a copy of the profile goes on under the same name", "producer.ts", "producer: newProducer(fresh), fenced: true", "producer: p, fenced: true"},
	{"a part is sent from where it was", "producer.ts", `{ ...none, producer: { ...p, sent: a.offset } };
  }
  switch`, `{ ...none, producer: { ...p, sent: a.offset + 1 } };
  }
  switch`},
	{"who comes too late writes all the same", "requests.ts", "if (!now || !sameRequest(now.producer, was)) return false;", "if (!now) return false;"},
	{"one more is taken for sent", "requests.ts", "batch[o.done - 1]!.n : now.acked", "batch[o.done - 1]!.n + 1 : now.acked"},
	{"what is refused is forgotten", "requests.ts", `tx.put("rejected", { ...q, value: values[i]!, code: o.code, message: o.message } satisfies Refused);`, ""},
	{"what a request holds is not stored", "requests.ts", "if (p !== s.producer && !(await this.#move(name, s.producer, (now) => ({ ...now, producer: p })))) return true;", ""},
	{"what was done in spite of an error is not looked at", "requests.ts", "this.#of.changed(name); // it may have been done all the same", ";"},
	{"the log's end is taken for the queue's", "cache.ts", "(page.upToDate && q.n <= s.acked)", "page.upToDate"},
	{"a page is kept twice", "cache.ts", "if (!now || now.offset !== s.offset) return;", "if (!now) return;"},
	{"what was not heard of is taken for not done", "appends.ts", "unknown ||= (e as SyncError).cause === unheard;", ""},
	{"what cannot be read is not read again", "refresh.ts", "if (this.#failed(e)) this.#timer =", "if (this.#failed(e) && false) this.#timer ="},
	{"who asks meanwhile is not heard", "refresh.ts", "this.#run.again = true;", ""},
	{"a refusal is told to nobody", "stream.ts", "if (!first) for (const r of this.#rejected) if (!known.has(r.id)) this.#refused(r);", ""},
	{"others are not told", "sync.ts", `this.host.tell({ data: "changed", name } satisfies Hint);
    void`, "void"},
}

func TestMutants(t *testing.T) {
	for _, m := range mutants {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			path, _ := filepath.Abs("../../js/src/data/" + m.file)
			text, err := os.ReadFile(path)
			if err != nil || strings.Count(string(text), m.old) != 1 {
				t.Fatalf("%s does not have %q once (%v)", m.file, m.old, err)
			}
			broken := strings.Replace(string(text), m.old, m.new, 1)
			plugin := api.Plugin{Name: "mutant", Setup: func(b api.PluginBuild) {
				b.OnLoad(api.OnLoadOptions{Filter: `/js/src/data/` + m.file + `$`}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
					return api.OnLoadResult{Contents: &broken, Loader: api.LoaderTS}, nil
				})
			}}
			if out, err := run(t, 0, 600, false, []api.Plugin{plugin}); err == nil {
				t.Errorf("it is not found\n%s", out)
			} else if !strings.Contains(string(out), "seed ") && !strings.Contains(string(out), "unhandled") {
				t.Errorf("something else is found\n%s", out)
			}
		})
	}
}
