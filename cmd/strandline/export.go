package main

import (
	"errors"
	"os"

	"github.com/strandline-sync/strandline/server/engine/sqlite"
	"github.com/strandline-sync/strandline/server/rights"
)

// export prints what a data directory holds.
func export(args []string) error {
	flags := newFlags("export")
	data := dataFlag(flags)
	principal := flags.String("principal", "", "only the streams that are this principal's own, and what else it wrote")
	rules := flags.String("rules", "", "the file of rules that say which streams are a principal's own: those of patterns with {sub}")
	dirs, err := words(flags, args, 1)
	if err != nil {
		return err
	}
	dir := append(dirs, *data)[0]
	which := sqlite.Which{Principal: *principal}
	if *rules != "" {
		if *principal == "" {
			return errors.New("--rules comes with --principal")
		}
		rs, err := rights.LoadRules(*rules, nil)
		if err != nil {
			return err
		}
		which.Theirs = func(stream string) bool { return rs.Theirs(*principal, stream) }
	}
	ctx, stop := interrupted()
	defer stop()
	err = sqlite.Export(ctx, dir, os.Stdout, which)
	if !errors.Is(err, os.ErrNotExist) {
		about := ""
		if *principal != "" {
			about = hashOf(*principal)
		}
		audit(dir, "export", about, userName(), err)
	}
	return err
}
