//go:build mutants

package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// mutants are planted bugs: each is a place in the sources, what is written there instead, and the test that finds it where that is not
// the histories.
var mutants = []struct{ name, file, from, to, by string }{
	{"what is not committed is shown as if it were", "core/rows/committed.go", "undos = append(undos, &l.Undo)", "_ = l", ""},
	{"what an uncommitted write has hidden is not shown", "core/rows/shown.go", "land.Shown, land.Hidden} {", "land.Shown} {", ""},
	{"what has left the queue is shown as pending", "core/rows/shown.go", "if !w.seen[id] && !w.of.Waits(id, 0) {", "if false {", ""},
	{"what is pending is not shown beside a checkpoint", "core/rows/shown.go", "\tw.named(c.Pending)\n", "", ""},
	{"a page of a checkpoint is shown as it was", "core/state/paging.go", "\t\tif !changed {\n\t\t\to = *n.s.objects.at(c.slot)\n\t\t}\n\t\tif w.len()", "\t\tif o = *n.s.objects.at(c.slot); changed {\n\t\t}\n\t\tif w.len()", ""},
	{"another client id is not shown", "core/rows/shown.go", "client != was {", "client != was && false {", ""},
	{"a lost race is taken for a commit", "core/journal/outcome.go", "\t\treturn outrun", "\t\treturn kept", ""},
	{"an unknown outcome is taken for a failure", "core/journal/unsure.go", "case len(records) > 0 && string(records[0]) == string(s.commit.record):", "case false:", ""},
	{"an undo forgets that there was no object", "core/state/undo.go", "case im.absent:\n\t\t\ts.drop(im.id)", "case im.absent:", ""},
	{"an atomic action is not taken back", "core/state/apply.go", "s.revert(u, start)\n", "_ = start\n", ""},
	{"a remove does not win over an unseen update", "core/state/apply.go", "if o == nil {\n\t\treturn ReasonMissing", "if o == nil {\n\t\tif op.Kind == action.Update {\n\t\t\tr.create(&action.Op{Object: op.Object, Type: \"todo\"})\n\t\t\treturn ReasonNone\n\t\t}\n\t\treturn ReasonMissing", ""},
	{"unchanged forgets who touched last but one", "core/state/apply.go", "if t.Client == a.Client {\n\t\t\tt = o.other\n\t\t}\n\t\treturn t == nil", "if t.Client == a.Client {\n\t\t\tt = nil\n\t\t}\n\t\treturn t == nil", ""},
	{"union takes what is there already", "core/state/merge.go", "if have[v] {\n\t\t\tcontinue\n\t\t}", "", ""},
	{"a meeting overlooks guards", "core/queue/queue.go", "for i := range a.Guards {\n\t\tf(a.Guards[i].Object)\n\t}", "", ""},
	{"a meeting leaves out a chain of overlaps", "core/queue/meet.go", "\t\tnames(&l.Action, func(object action.UUID) { m.object(object, l.order) })\n", "", ""},
	{"own entries are not known by their id", "core/replica/follow.go", "if l == nil || gone[a.ID] {", "if l == nil || gone[a.ID] || len(gone) > 2 {", ""},
	{"a local checkpoint overlooks a change", "core/state/paging.go", "p.pages[pageOf(p.pages, id)].Dirty = true\n\tif p.snap == nil", "p.pages[pageOf(p.pages, id)].Dirty = o != nil || p.snap != nil\n\tif p.snap == nil", ""},
	{"a local checkpoint forgets the last pending action", "core/replica/rest.go", "e.Uint(uint64(len(r.q.Pending)))\n\tfor _, l := range r.q.Pending {", "kept := r.q.Pending[:max(0, len(r.q.Pending)-1)]\n\te.Uint(uint64(len(kept)))\n\tfor _, l := range kept {", ""},
	{"a tab that reads its log anew forgets what was not committed", "core/replica/takeover.go", "\t\t\tnext.q.Add(l)\n", "\n", ""},
	{"an installed checkpoint does not resolve what it holds", "core/aside/log.go", "case seq <= row.Seq && alone &&", "case seq+1 < row.Seq && alone &&", ""},
	{"an installed checkpoint drops what is pending", "core/replica/planinstall.go", "in.queue = append(in.queue, l)\n", "_ = l\n", ""},
	{"what the new log has returns all the same", "core/aside/log.go", "if seen[act.ID] || ", "if seen[act.ID] && act.Seq%2 == 0 || ", ""},
	{"what others have sent counts again", "core/state/apply.go", "return s.LastSeq(sent(id)) > 0 || ", "return ", ""},
	{"a text is not masked in the rest", "core/replica/texts.go", "\tr.conflicts.Values(to.Value)\n", "", ""},
	{"what a profile has taken over has no maker", "core/replica/adopt.go", "maker := r.own.All(), queue.MakerOf(a, r.log.Client, r.former)", "maker := r.own.All(), action.Maker{}", ""},
	{"what a rebuild has found is kept no more", "core/replica/rebuild.go", "\t\tk.First = firsts[o.ID]\n\t\tre.kept.Add(k)\n", "\t\t_ = k\n", ""},
	{"pages of own actions are not read", "core/journal/rebuild.go", "in.rebuild.kept = pages", "_ = pages", ""},
	{"what did not stand returns", "core/replica/rebuild.go", "case !stood[k.ID]:", "case false:", "^TestWhatDoesNotReturn$"},
	{"one answer of a stale server is believed", "core/loop/doubt.go", "if d.since == 0 || now < d.since {", "if d.begin = now; false {", "^TestOneAnswerOfAStaleServerIsNotBelieved$"},
	{"a second rebuild is not told from the first", "core/own/reset.go", "for len(l) > 0 && l[0].N <= count {", "for len(l) > 0 && (l[0].N <= count || count > 0) {", "^TestWhatARestoreLostReturns$"},
	{"the server goes on with a fold that its disk did not take", "server/actions/append.go", "st.loaded = false // until", "// until", ""},
	{"the server appends whatever the client has seen", "server/actions/turn.go", "case it.After < log.Head:", "case it.After < log.Head && len(it.Offers) == 0:", ""},
	{"two tabs undo the same action", "core/replica/follow.go", "\t\t\tr.dropPointless(&land)\n", "", ""},
	{"a write that was replaced unseen is not told of", "core/replica/conflict.go", "if !r.wrote(&ow.Write) ||", "if !r.wrote(&ow.Write) || len(a.Ops) > 1 ||", ""},
	{"a refused action is tried again and stays on the list", "core/replica/follow.go", "r.dismiss(rec.Dismissed...)", "r.dismiss(rec.dismissed[len(rec.dismissed):]...)", ""},
	{"an answer is taken for another stream's", "core/loop/turn.go", "if answers[i].Stream == stream {", "if answers[i].Stream >= stream {", ""},
	{"no turn follows a turn that failed", "core/loop/turn.go", "p.again, p.againHard = \"\", false\n\tdb.schedule(ms, because)", "p.again, p.againHard = \"\", false\n\tif t.err == nil {\n\t\tdb.schedule(ms, because)\n\t}", ""},
	{"what is refused and taken all the same stays on the list", "core/replica/follow.go", "if l == nil && r.IsRejected(a.ID) {", "if l == nil && r.IsRejected(a.ID) && r.fresh {", ""},
	{"an own action is accepted as it stands whatever came of it", "core/replica/follow.go", "l.ID != id || !l.Plain ||", "l.ID != id ||", ""},
	{"what is accepted has no index", "core/state/apply.go", "u.touch.Index = s.Head", "u.touch.Index = 0", ""},
	{"what meets a refused action stays applied", "core/replica/concerned.go", "meeting.From(l)", "part = append(part, l)", ""},
	{"another tab's action is pending and not applied", "core/replica/follow.go", "if !r.bare { // what is pending", "if !r.bare && r.next > 1e9 { // what is pending", ""},
	{"the queue's index forgets the order", "core/queue/queue.go", "\t\tcopy(n.more[at+1:], n.more[at:])\n\t\tn.more[at] = l\n", "", ""},
	{"what is copied out loses a key", "core/state/tidy.go", "for i := range o.fields {\n\t\tf := &o.fields[i]", "for i := range o.fields[min(1, len(o.fields)):] {\n\t\tf := &o.fields[i]", ""},
	{"what depends on a dropped write is taken out of what is pending", "core/replica/takeover.go", "next.refuseUncommitted(next.dependants(refused, gone...), &land)", "next.refuseDependants(next.dependants(refused, gone...), 0, &land)", ""},
	{"what is copied out shares the touch of another write", "core/state/tidy.go", "if from[i] == t {", "if from[i] != nil {", ""},
	{"what ends an op is heeded twice", "core/plan/draft.go", "\tdelete(d.flights, op)\n\treturn f", "\treturn f", ""},
	{"what happens in the middle of a step is forgotten", "core/loop/step.go", "db.late = append(db.late, e)", "_ = e", ""},
	{"who asks in the middle of a step sees half of it", "core/loop/virtual/asks.go", "if d.Working() {", "if d.Working() && d.refuge != nil {", ""},
	{"a clock that is set back stops the loop", "core/plan/draft.go", "if now < d.now {", "if now < d.now && d.now == 0 {", ""},
	{"a record that cannot be read is taken for another one", "core/journal/unsure.go", "_, err = record.DecodeAll(log.Records[:1], s.p.Pace)", "", ""},
	{"a write is told as durable before it is", "core/journal/journal.go", "\ts.append(commit{record: record, shown: shown, writes: n, upTo: upTo})", "\ts.tell(&plan.Committed{Stream: s.ID, UpTo: upTo})\n\ts.append(commit{record: record, shown: shown, writes: n, upTo: upTo})", ""},
	{"a destroy does not see what is written meanwhile", "core/loop/ending.go", "plan.Access{Kind: plan.Wipe, Next: end.next}", "plan.Access{Kind: plan.Wipe}", "^TestADestroyCountsAnew$"},
	{"a destroy does not count what is unsent", "core/loop/ending.go", "case end.unsent > 0:", "case end.unsent > 1e9:", "^TestDestroyCountsClosedStreams$"},
	{"a stream that was refused is not asked again", "core/loop/contact.go", "max(c.asked, db.jitter(pause))", "max(c.asked, db.jitter(pause))*1_000_000", ""},
	{"an accepted action stays in the queue", "core/replica/follow.go", "r.q.RemoveFirst(n)", "r.q.RemoveFirst(n - 1)", ""},
	{"the queue's index forgets an action that names an object twice", "core/queue/queue.go", "\t\tn.one = nil\n", "\t\tdelete(q.objects, object)\n\t\treturn\n", ""},
}

// rare are bugs that few histories meet: the seed where the search begins.
var rare = map[string]string{"what depends on a dropped write is taken out of what is pending": "900100"}

// findLimit is how long the simulator may look for one.
const findLimit = time.Minute

// TestMutants plants each bug in a build of its own and lets the simulator look for it.
func TestMutants(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			program := build(t, root, m.file, m.from, m.to)
			ctx, cancel := context.WithTimeout(t.Context(), findLimit)
			defer cancel()
			begun := time.Now()
			cmd := exec.CommandContext(ctx, program, "-test.run", cmp.Or(m.by, "^TestHistories$"), "-histories", "1000000", "-seed", cmp.Or(rare[m.name], "1"))
			cmd.Dir = filepath.Join(root, "tests/sim")
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if ctx.Err() != nil || !errors.As(err, &exit) {
				t.Fatalf("not found in %v", findLimit)
			}
			found++
			seed := regexp.MustCompile(`seed=\d+`).FindString(string(out))
			t.Logf("found after %.1f s, %s: %s", time.Since(begun).Seconds(), seed, complaint(string(out)))
		})
	}
	t.Logf("%d of %d planted bugs found", found, len(mutants))
}

// build makes the simulator over sources with one change.
func build(t *testing.T, root, file, from, to string) string {
	t.Helper()
	path := filepath.Join(root, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), from); n != 1 {
		t.Fatalf("%s has %d places like\n%s", file, n, from)
	}
	dir := t.TempDir()
	changed, overlay, program := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim.test")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	places, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, places, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", program, "./tests/sim")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the mutant does not compile: %v\n%s", err, out)
	}
	return program
}

// complaint is the first line that says what is wrong.
func complaint(out string) string {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.Contains(line, "_test.go:") || strings.HasPrefix(line, "panic:") {
			return line[:min(len(line), 160)]
		}
	}
	return "?"
}
