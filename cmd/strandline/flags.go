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
		fmt.Print(usageOf(flags.Name()), "\n")
		flags.SetOutput(os.Stdout)
		flags.PrintDefaults()
		os.Exit(0)
	case err != nil:
		return fmt.Errorf("%s; strandline %s -h tells what there is", strings.ReplaceAll(err.Error(), "\n", " "), flags.Name())
	}
	return nil
}

// usageOf is what the usage says of a verb.
func usageOf(verb string) (out string) {
	for _, part := range strings.Split(usage, "\n\n") {
		if strings.HasPrefix(strings.TrimSpace(part), "strandline "+verb) {
			out += part + "\n"
		}
	}
	return out
}

// parseAll is parse for a verb that takes nothing but flags.
func parseAll(flags *flag.FlagSet, args []string) error {
	err := parse(flags, args)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("%s takes no argument %q", flags.Name(), flags.Arg(0))
	}
	return err
}

// configured sets flags that the command line has left alone: by the environment, STRANDLINE_MAX_STATE for --max-state, and then by a file of lines like
// max-state 1000000, which --config or STRANDLINE_CONFIG names. A flag that may be given again may stand there again, and in the environment with spaces
// between.
func configured(flags *flag.FlagSet, file string) error {
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	set := func(name, value, where string) error {
		if err := flags.Set(name, value); err != nil {
			return fmt.Errorf("%s: %q is nothing for --%s: %w", where, value, name, err)
		}
		return nil
	}
	var wrong error
	flags.VisitAll(func(f *flag.Flag) {
		env := "STRANDLINE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		text := os.Getenv(env)
		if given[f.Name] || text == "" || wrong != nil {
			return
		}
		given[f.Name] = true
		values := []string{text}
		if f.Name == "cors" {
			values = strings.Fields(text)
		}
		for _, value := range values {
			if wrong == nil {
				wrong = set(f.Name, value, env)
			}
		}
	})
	if file == "" {
		if f := flags.Lookup("config"); f != nil {
			file = f.Value.String()
		}
	}
	if wrong != nil || file == "" {
		return wrong
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, " ")
		where := fmt.Sprintf("%s, line %d", file, i+1)
		if flags.Lookup(name) == nil || name == "config" {
			return fmt.Errorf("%s: there is no flag %q", where, name)
		}
		if value = strings.TrimSpace(value); value == "" {
			value = "true"
		}
		if !given[name] {
			if err := set(name, value, where); err != nil {
				return err
			}
		}
	}
	return nil
}
