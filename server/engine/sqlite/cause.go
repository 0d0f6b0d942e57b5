package sqlite

import (
	"errors"
	"fmt"

	lite "modernc.org/sqlite"
)

// What SQLite's result codes say of the disk, in words that an operator can act on.
var causes = map[int]string{
	13: "the disk is full",
	8:  "the database is read-only",
	10: "the disk cannot be read or written",
	11: "the database is damaged: restore a backup",
	14: "the database cannot be opened",
	26: "it is no database",
}

// cause puts the cause before what SQLite says.
func cause(err error) error {
	var e *lite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch code := e.Code(); {
	case code == 4874, code == 778: // I/O errors of a shared-memory or database file that cannot grow
		return fmt.Errorf("the disk is full, or has no room for this user: %w", err)
	default:
		if words := causes[code&0xff]; words != "" {
			return fmt.Errorf("%s: %w", words, err)
		}
	}
	return err
}
