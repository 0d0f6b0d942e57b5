// Package core is what every replica computes, in the browser and on the server: the action model and its fold, the
// local log, the turn of the loop, and queries. It has no browser, network, disk, clock, goroutine or lock of its own.
//
// # Words
//
// A stream is a name and one totally ordered log of actions; the server gives each entry an index from 1 on, and the head is the
// last. A client is one local log: one user, one database, one stream, shared by all tabs of a profile. Its actions are
// uncommitted in memory, then pending in the local log, then entries of the stream's log.
//
// # The loop
//
// DB asks the server about every open stream (loop.go); each answer becomes a plan (turn.go), one record of the local log
// (record.go, commit.go), and then one step in memory (replica.go): unapply what is pending, in reverse; apply the new
// entries; apply, in order, what is still pending.
//
//	log:    1 … head | pending | uncommitted
//	                 ^ unapplied and applied again by every turn
//
// # Duties of the host
//
// All functions are called on one thread, the host's (Host). Store and Transport may block: they are called off it, by Host.Do.
// After a write, and before it goes back to its event loop, the host calls Pump: what was written until then shares one
// commit. Observers take notes and do not call back.
//
// # Invariants
//
// State is a pure function of the log. Unapply restores it exactly. A record is applied in memory only after it is durable. At most
// one commit per context and stream is in flight. Only committed actions are offered. The outcome of a commit or an append that is not
// known is found out, never guessed.
package core
