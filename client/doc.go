// Package client is Strandline for Go programs: bots, jobs and tests that read and write streams like an app in a browser does. It is the same core and
// the same loop, over a file or memory: writes are applied at once and wait in the local log while the server is out of reach, and every replica comes to
// one state.
//
//	db, err := client.Open(client.Options{URL: "http://127.0.0.1:8080"})
//	todos, err := db.Stream(ctx, "todos")
//	w, err := todos.Create("todo", map[string]any{"title": "milk"})
//	index, err := w.Persisted(ctx)
//	for row := range todos.Rows("todo") { … }
//
// Data streams are not in it: they speak the Durable Streams Protocol, which has clients in Go.
package client
