package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

// interrupted is a context that ends with a signal.
func interrupted() (context.Context, func()) {
	return signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
}

// words reads flags and at most so many other words; flags may also stand behind them.
func words(flags *flag.FlagSet, args []string, most int) (out []string, err error) {
	for {
		if err := parse(flags, args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			break
		}
		out, args = append(out, flags.Arg(0)), flags.Args()[1:]
	}
	if len(out) > most {
		return nil, fmt.Errorf("%s takes no argument %q", flags.Name(), out[most])
	}
	return out, nil
}

// dataFlag names the data directory.
func dataFlag(flags *flag.FlagSet) *string {
	return flags.String("data", "./data", "the data directory")
}

// backup copies a database, while a server uses it or not.
func backup(args []string) error {
	flags := newFlags("backup")
	data := dataFlag(flags)
	files, err := words(flags, args, 1)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("backup takes the FILE to write")
	}
	ctx, stop := interrupted()
	defer stop()
	err = sqlite.Backup(ctx, *data, files[0])
	audit(*data, "backup", "", userName(), err)
	if err != nil {
		return err
	}
	fmt.Printf("%s holds what %s held\n", files[0], *data)
	return nil
}

// restore puts a backup in the place of a database.
func restore(args []string) error {
	flags := newFlags("restore")
	data := dataFlag(flags)
	keep := flags.Bool("keep-deleted", false, "do not delete again what was deleted since the backup was made")
	files, err := words(flags, args, 1)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return errors.New("restore takes the FILE of a backup")
	}
	ctx, stop := interrupted()
	defer stop()
	deleted, err := sqlite.Restore(ctx, files[0], *data, !*keep)
	erased := 0
	if err == nil {
		erased, err = erasedAgain(ctx, *data)
	}
	audit(*data, "restore", "", userName(), err)
	if err != nil {
		return err
	}
	fmt.Printf("%s holds what %s holds", *data, files[0])
	if deleted > 0 {
		fmt.Printf(", but for %d streams that were deleted since", deleted)
	}
	if erased > 0 {
		fmt.Printf(", and but for %d objects that were erased since", erased)
	}
	fmt.Println(". Clients that have seen more than it holds send again what they have of that.")
	return nil
}

// erasedAgain opens a restored directory, and erases what the backup has brought back.
func erasedAgain(ctx context.Context, dir string) (erased int, err error) {
	logs, err := sqlite.Open(dir)
	if err != nil {
		return 0, err
	}
	s := server.New(server.Config{Engine: logs, Auth: server.None()})
	erased, err = eraseAgain(ctx, s, logs)
	s.Close()
	return erased, errors.Join(err, logs.Close())
}

// check looks at all that a data directory or a backup holds.
func check(args []string) error {
	flags := newFlags("check")
	data := dataFlag(flags)
	files, err := words(flags, args, 1)
	if err != nil {
		return err
	}
	path := append(files, *data)[0]
	ctx, stop := interrupted()
	defer stop()
	wrong, logs, entries, err := sqlite.Check(ctx, path)
	if err != nil {
		return err
	}
	for _, line := range wrong {
		fmt.Println(line)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s is damaged: restore a backup", path)
	}
	fmt.Printf("%s is whole: %d logs with %d entries\n", path, logs, entries)
	return nil
}
