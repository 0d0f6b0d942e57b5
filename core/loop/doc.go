// Package loop asks the server about every open stream of a database, and carries out what comes of it: when, who, and
// what after a failure.
//
// It does not compute what an answer leads to: that is the replica's matter. db.go has what is open, loop.go the turn,
// stream.go one stream's part; commit.go and load.go its local log, lead.go the contexts of a profile.
//
// # Duties of the host
//
// All functions are called on one thread, the host's (Host). Store and Transport may block: they are called off it, by
// Host.Do. After a write, and before it goes back to its event loop, the host calls Pump: what was written until then
// shares one commit. Observers take notes and do not call back.
//
// # Invariants
//
// A record is followed in memory only after it is durable. At most one commit per context and stream is in flight.
// Only committed actions are offered. The outcome of a commit or an append that is not known is found out, never
// guessed.
package loop
