// Package bundle is what of a stream goes into a bundle, which somebody else is to look at: what it was in memory at a record of its local
// log, and what is stored of it, without what people have written. docs/BUNDLES.md has the format; client/replay reads and writes it.
package bundle
