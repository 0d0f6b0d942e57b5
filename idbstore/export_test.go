//go:build js && wasm

package idbstore

// Disconnect closes the connection as the browser does: without the store's knowledge.
func Disconnect(s *Store) { s.db.Close() }
