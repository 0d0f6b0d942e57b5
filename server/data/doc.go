// Package data serves data streams: the Durable Streams protocol over an engine, with what Strandline adds to it (entries with ids, uploads in
// parts, the view of entries). It knows no action streams and no listener.
//
// Begin at streams.go; a read is in read.go and page.go, a write in append.go and write.go.
package data
