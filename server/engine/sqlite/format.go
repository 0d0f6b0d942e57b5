package sqlite

import (
	"database/sql"
	"fmt"
	"strings"
)

// Format is that of the database in a data directory; a newer one is refused.
const Format = 5

// columns are those that tables of an earlier format lack.
var columns = []struct {
	since int
	added string
}{
	{4, "checkpoints ADD COLUMN leases BLOB"},
	{4, "streams ADD COLUMN head INTEGER NOT NULL DEFAULT 0"},
	{4, "data_entries ADD COLUMN sum INTEGER"},
	{4, "data_parts ADD COLUMN sum INTEGER"},
	{5, "streams ADD COLUMN by TEXT NOT NULL DEFAULT ''"},
	{5, "data_streams ADD COLUMN by TEXT NOT NULL DEFAULT ''"},
}

// upgrade brings a database of an earlier format up to this one, in the one transaction that also makes what is missing.
func upgrade(db *sql.DB, from int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, c := range columns {
		if from == 0 || from >= c.since {
			continue
		}
		table, _, _ := strings.Cut(c.added, " ")
		var there int
		if err := tx.QueryRow("SELECT count(*) FROM sqlite_master WHERE name = ?", table).Scan(&there); err != nil {
			return err
		}
		if there == 0 {
			continue // of a format that had none: it is made whole
		}
		if _, err := tx.Exec("ALTER TABLE " + c.added); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(schema + dataSchema + usesSchema + fmt.Sprintf("PRAGMA user_version = %d", Format)); err != nil {
		return err
	}
	if from > 0 && from < Format {
		if _, err := tx.Exec(countAnew); err != nil {
			return err
		}
	}
	return tx.Commit()
}
