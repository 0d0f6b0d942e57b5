package e2e

import (
	"testing"
)

// The thinnest whole path: write offline, reload offline, kill the browser, come back, converge with a second profile.
func TestOfflineWritesSurviveAndConverge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	profile := t.TempDir()
	a := openBrowser(t, profile)
	one := a.open(s.url)
	one.start("")
	one.do(`await s.create("todo", {title: "online", done: false}); await s.settled()`)

	b := openBrowser(t, t.TempDir())
	two := b.open(s.url)
	two.start("")
	two.eventually(`["online"]`, `return titles()`)

	one.offline(true)
	one.do(`await s.create("todo", {title: "offline"}); await s.edit(s.query()[0].id, (d) => { d.done = true })`)
	one.want(`["offline","online"]`, `return titles()`)
	one.want(`2`, `return s.pending().length`)
	a.kill()

	a = openBrowser(t, profile)
	one = a.open(s.url)
	one.offline(true)
	one.start("")
	one.want(`["offline","online"]`, `return titles()`)
	one.want(`2`, `return s.status.pending`)
	two.want(`["online"]`, `return titles()`)
	one.offline(false)
	one.do(`await s.settled()`)
	two.eventually(`["offline","online"]`, `return titles()`)
	two.want(`true`, `return s.query({where: {title: "online"}})[0].done`)
	one.want(two.do(`return s.query()`), `return s.query()`)
}
