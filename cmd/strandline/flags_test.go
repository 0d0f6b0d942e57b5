package main

import (
	"strings"
	"testing"
)

// The command line is before the environment, and that before the file; what is wrong is said with its place.
func TestConfigured(t *testing.T) {
	read := func(file string, args ...string) (string, error) {
		flags := newFlags("serve")
		a, b, c := flags.String("a", "default", ""), flags.String("max-b", "default", ""), flags.Bool("c", false, "")
		var cors []string
		flags.Func("cors", "", func(s string) error { cors = append(cors, s); return nil })
		flags.String("config", "", "")
		if err := parseAll(flags, args); err != nil {
			return "", err
		}
		err := configured(flags, writeFile(t, file))
		out := *a + " " + *b + " " + strings.Join(cors, "+")
		if *c {
			out += " c"
		}
		return out, err
	}
	t.Setenv("STRANDLINE_MAX_B", "environment")
	if got, err := read("# flags\na file\nmax-b file\nc\ncors x\ncors y\n", "--a", "line"); err != nil || got != "line environment x+y c" {
		t.Errorf("%q, %v", got, err)
	}
	t.Setenv("STRANDLINE_CORS", "u v")
	if got, err := read("a  file  \ncors x"); err != nil || got != "file environment u+v" {
		t.Errorf("%q, %v", got, err)
	}
	for file, want := range map[string]string{"nothing 1": "line 1: there is no flag", "a 1\nc maybe": "line 2", "config x": "no flag"} {
		if _, err := read(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
	t.Setenv("STRANDLINE_C", "maybe")
	if _, err := read(""); err == nil || !strings.Contains(err.Error(), "STRANDLINE_C") {
		t.Errorf("%v", err)
	}
}
