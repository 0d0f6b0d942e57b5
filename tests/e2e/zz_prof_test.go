package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/profiler"
	"github.com/chromedp/chromedp"
)

func TestZZProf(t *testing.T) {
	s := newSite(t)
	b := openBrowser(t, t.TempDir())
	p := b.open(s.url)
	script, _ := os.ReadFile(os.Getenv("PROF_SCRIPT"))
	var prof *profiler.Profile
	var warm string
	p.do("%s", string(script))
	for i := 0; i < 3; i++ {
		warm = p.do(`return await work()`)
		fmt.Println(warm)
	}
	if err := chromedp.Run(p.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		if err := profiler.Enable().Do(ctx); err != nil {
			return err
		}
		profiler.SetSamplingInterval(200).Do(ctx)
		return profiler.Start().Do(ctx)
	})); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 3; i++ {
		warm = p.do(`return await work()`)
		fmt.Println(warm)
	}
	chromedp.Run(p.ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		var err error
		prof, err = profiler.Stop().Do(ctx)
		return err
	}))
	self := map[int64]int64{}
	var total int64
	for i, id := range prof.Samples {
		self[id] += prof.TimeDeltas[i]
		total += prof.TimeDeltas[i]
	}
	by := map[string]int64{}
	for _, n := range prof.Nodes {
		by[n.CallFrame.FunctionName+" "+filepath.Base(n.CallFrame.URL)[:min(12, len(filepath.Base(n.CallFrame.URL)))]] += self[n.ID]
	}
	parent := map[int64]int64{}
	node := map[int64]*profiler.ProfileNode{}
	for _, n := range prof.Nodes {
		node[n.ID] = n
		for _, c := range n.Children {
			parent[c] = n.ID
		}
	}
	incl := map[string]int64{}
	for id, v := range self {
		seen := map[string]bool{}
		for at := id; at != 0; at = parent[at] {
			n := node[at].CallFrame.FunctionName
			if !seen[n] {
				seen[n] = true
				incl[n] += v
			}
		}
	}
	in := []string{}
	for n := range incl {
		in = append(in, n)
	}
	sort.Slice(in, func(i, j int) bool { return incl[in[i]] > incl[in[j]] })
	for _, n := range in[:min(envInt("INCL", 0), len(in))] {
		fmt.Printf("incl %6.1f ms %s\n", float64(incl[n])/1000, n)
	}
	groups := map[string]int64{}
	for n, v := range by {
		g := strings.SplitN(strings.Fields(n + " ?")[0], ".", 2)[0]
		groups[g+" "+strings.Join(strings.Fields(n)[max(0,len(strings.Fields(n))-1):], "")] += v
	}
	for g, v := range groups {
		if v*200 > total {
			fmt.Printf("GROUP %6.1f ms %5.1f%% %s\n", float64(v)/1000, float64(v)*100/float64(total), g)
		}
	}
	names := []string{}
	for n := range by {
		names = append(names, n)
	}
	sort.Slice(names, func(i, j int) bool { return by[names[i]] > by[names[j]] })
	for _, n := range names[:min(envInt("TOP",60), len(names))] {
		fmt.Printf("%6.1f ms %5.1f%% %s\n", float64(by[n])/1000, float64(by[n])*100/float64(total), n)
	}
}

func envInt(n string, d int) int {
	var v int
	if _, err := fmt.Sscan(os.Getenv(n), &v); err != nil {
		return d
	}
	return v
}
