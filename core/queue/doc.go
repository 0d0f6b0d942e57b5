// Package queue is what this client has made and the log does not have yet: the pending actions of the local log, and
// behind them the uncommitted ones, in order; and which of them meet at which object.
//
// It applies nothing and decides nothing. Invariants: an action is in the queue once; pending actions have a seq,
// which rises; the index has what the queue has (Check).
//
// Begin with queue.go, then local.go.
package queue
