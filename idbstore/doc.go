// Package idbstore keeps local logs in IndexedDB, through go-indexeddb. It is built for js/wasm; elsewhere
// it tells its formats alone.
//
// # Layout
//
// One IndexedDB database per app database and user. The object store "records" holds, under the key [stream, lsn], the
// bytes of one record as a Uint8Array. "meta" holds the rest: the database's id and format, each stream's manifest and pages, and what is
// shown (show.go). The schema is static: what changes is the version inside each record, so that no tab
// ever waits for another to let a database upgrade happen.
//
// # One commit
//
// A commit is one readwrite transaction: it reads the keys of its stream from lsn-1 on, at most two, and adds its
// record right behind. The read's success callback aborts unless it found exactly lsn-1: a tab that was frozen while others wrote
// cannot write into the past. Only a transaction that completed counts, and only if that callback saw what it wants.
//
// Inside a transaction there is nothing but its requests: no timer, fetch, lock or foreign channel.
package idbstore
