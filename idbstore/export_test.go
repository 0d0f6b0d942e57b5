//go:build js && wasm

package idbstore

import "time"

// Disconnect closes the connection as the browser does: without the store's knowledge.
func Disconnect(s *Store) { s.db.Close() }

// Impatient makes a store wait that long for a transaction.
func Impatient(s *Store, limit time.Duration) { s.answer = limit }

// Live are the transactions under way.
func Live(s *Store) map[aborter]bool { return s.live }
