package memstore_test

import (
	"testing"

	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/locallog/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Open {
		db := memstore.New()
		return func(*testing.T) locallog.Store { return db.Open() }
	})
}
