// Package action is the bytes and words that all other rooms speak: an action and its codec, canonical JSON, numbers,
// ids, times, the chain, and the errors with their stable codes.
//
// It knows no state, no log and no protocol: what it reads and writes is one value at a time. Reading is strict; what
// is refused says where, as a JSON pointer. Canonical text is read in one pass and without a copy, so that strings
// point into what was read.
//
// Begin with action.go (what an action is), then decode.go (how it is read) and canon.go (the one form of a JSON
// text).
package action
