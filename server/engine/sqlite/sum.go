package sqlite

import (
	"database/sql"
	"hash/crc32"

	"github.com/strandline-sync/strandline/core/action"
)

// Each body of a data stream has its checksum beside it: what a disk or a hand has changed is not served. (An action's entry has the log's chain.)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errChanged = &action.Error{Code: action.CodeInternal, Message: "a stored body does not match its checksum"}

func sumOf(body []byte) any {
	if body == nil {
		return nil
	}
	return int64(crc32.Checksum(body, castagnoli))
}

// intact tells whether a body is what was stored; a row of an earlier format has no sum.
func intact(body []byte, sum sql.NullInt64) bool {
	return !sum.Valid || sum.Int64 == int64(crc32.Checksum(body, castagnoli))
}
