// Package replay reads and writes bundles, and goes through the local log of each of a bundle's streams again, record by record, to what
// the page held that wrote it: what went wrong in somebody's browser goes wrong in a test.
package replay
