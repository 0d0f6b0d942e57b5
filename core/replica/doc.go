// Package replica is one stream on one device: its queue, and what an answer of the server or a record of the local
// log leads to.
//
//	log:    1 … head | pending | uncommitted
//	                 ^ unapplied and applied again by every turn
//
// A Replica computes and does no I/O: it makes the record, the loop has it stored, and only then it follows. It does
// not know when anybody is asked, or who leads.
//
// Begin with replica.go (what there is, and how a record is followed) and turn.go (how an answer becomes a record);
// then undoing.go, conflict.go, conflictfree.go, rejected.go, and planinstall.go and newclient.go for the rare turns.
package replica
