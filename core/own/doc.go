// Package own is what the log has of one client, and where that client has been in the log: what undo and reports go back to, and what
// returns where a server that was restored has lost it.
package own
