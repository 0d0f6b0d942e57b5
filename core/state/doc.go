// Package state is the fold: what a log of actions leads to, and how one application is taken back exactly.
//
// It knows actions, and nothing of queues, logs, servers or time. A State is a pure function of the entries and of
// what is applied on top of them. Unapply restores it exactly. Check tells whether its invariants hold.
//
// Begin with apply.go (an action's effect), then state.go (what is kept), undo.go, and checkpoint.go (the one text of
// a state). paging.go and page.go cut it into pages for a local checkpoint; row.go and look.go read it.
package state
