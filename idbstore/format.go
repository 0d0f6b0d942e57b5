package idbstore

const (
	// Schema is the version of the IndexedDB database: which object stores it has. It never needs to change; doc.go says why.
	Schema = 1
	// Format is that of what is stored, kept in the database itself. A newer version's is refused before anything is written.
	Format = 1
)
