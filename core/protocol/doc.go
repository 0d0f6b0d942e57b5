// Package protocol is what a client and the server say to one another: requests, answers, problems and hints, for both
// ends.
//
// It decides nothing: what an answer leads to is the replica's matter, and what a request deserves the server's. A
// server reads requests strictly; a client takes from answers what it knows and passes over the rest.
//
// Begin with wire.go (a client's end), then request.go (the server's).
package protocol
