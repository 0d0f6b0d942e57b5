// Package loop asks the server about every open stream of a database: who is asked when, and what follows from a failure.
//
// It does not compute what an answer leads to: that is the replica's matter, and making a record of it the journal's. db.go has what
// is open, step.go where events go; kind.go what a stream is to the loop; turn.go and actions.go the turn of the action streams,
// work.go and data.go those of the data streams; lead.go the contexts of a profile, ending.go the end of a database.
//
// # Duties of the host
//
// It calls Step on one thread, and carries each plan out before the next event. After what is written, and before it goes
// back to its event loop, it takes the step Wrote: what was written until then shares one commit. Who is told something takes
// notes and does not call back.
//
// # Invariants
//
// Only committed actions are offered. The outcome of an append that is not known is found out, never guessed. What one stream
// meets, its error and its pause, costs the others nothing.
package loop
