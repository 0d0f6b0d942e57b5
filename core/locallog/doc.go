// Package locallog is the one local, totally ordered log of a stream as it is stored: frames of records, the manifest
// of a checkpoint, and the Store that keeps them.
//
// It does not know what stands in a record (replica) or in a page (state). Invariants: record lsn is committed only
// behind record lsn-1; a checkpoint is stored in one step, and only upon the manifest that it was built on. Every
// Store passes storetest; memstore is the one in memory.
//
// Begin with store.go.
package locallog
