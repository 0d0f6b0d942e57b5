// Package journal is the local side of one open stream: its life, its replica, and its way to the local log. What is written is
// committed, what the server has answered becomes a record, what other contexts have committed is followed; whatever a store does.
//
// It knows nothing of turns: what they need to know is a Signal, which the loop heeds in the same step. Begin with journal.go; its
// states and those of life.go stand in tables.
//
// # Invariants
//
// A record is followed in memory only after it is durable. At most one write of the log is in flight. The outcome of a
// commit that is not known is found out, never guessed.
package journal
