package memstore_test

import (
	"testing"

	"github.com/strandline-sync/strandline/core"
	"github.com/strandline-sync/strandline/core/memstore"
	"github.com/strandline-sync/strandline/core/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Open {
		db := memstore.New()
		return func(*testing.T) core.Store { return db.Open() }
	})
}
