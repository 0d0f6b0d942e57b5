package memory_test

import (
	"testing"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/enginetest"
	"github.com/strandline-sync/strandline/server/memory"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, func(*testing.T) server.Engine { return memory.New() })
}
