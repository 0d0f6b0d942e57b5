package main

import (
	"fmt"
	"runtime"

	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/idbstore"
	"github.com/strandline-sync/strandline/js"
	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

// version says what this program is, and what it reads and speaks. Of each format it reads the older ones too, and refuses newer ones.
func version(args []string) error {
	flags := newFlags("version")
	if err := parseAll(flags, args); err != nil {
		return err
	}
	files := "inside"
	if js.Files() == nil {
		files = "not inside"
	}
	fmt.Printf(`strandline %s, built with %s for %s/%s
browser files      %s
protocol           %d (paths under /v%[6]d)
data directory     format %d
checkpoints        format %s
IndexedDB          format %d, schema %d
local log          format %d
`, js.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, files, server.ProtocolVersion, sqlite.Format, state.CheckpointFormat,
		idbstore.Format, idbstore.Schema, locallog.RecordFormat)
	return nil
}
