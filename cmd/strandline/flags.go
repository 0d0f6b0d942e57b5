package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// newFlags are those of a verb. What is wrong with them is said in one line.
func newFlags(verb string) *flag.FlagSet {
	flags := flag.NewFlagSet(verb, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// parse reads the flags before the first other word. Whoever asks for help gets it, and no more.
func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Printf("The flags of strandline %s:\n", flags.Name())
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		os.Exit(0)
	case err != nil:
		return fmt.Errorf("%s; strandline %s -h tells what there is", strings.ReplaceAll(err.Error(), "\n", " "), flags.Name())
	}
	return nil
}

// parseAll is parse for a verb that takes nothing but flags.
func parseAll(flags *flag.FlagSet, args []string) error {
	err := parse(flags, args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%s takes no argument %q", flags.Name(), flags.Arg(0))
	}
	return err
}
