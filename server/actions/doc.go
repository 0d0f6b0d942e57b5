// Package actions serves action streams: it folds the logs that are in use, gives each client's turn by the protocol's rules, judges what is
// offered, appends what is taken, and builds the checkpoints that stand for old entries. It knows no listener and no data streams.
//
// Begin at turn.go.
package actions
