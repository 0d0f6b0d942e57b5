package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/strandline-sync/strandline/server"
	webdemo "github.com/strandline-sync/strandline/web-demo"
)

// demoMaxAction is small, so that the demo can show what a refusal looks like.
const demoMaxAction = 4096

// demo serves the demo's pages from within the program.
func demo(args []string) error {
	flags := newFlags("demo")
	addr := flags.String("addr", defaultAddr, "the loopback address to listen at; port 0: any that is free")
	data := flags.String("data", "", "the data directory; by default one of yours: "+filepath.Join(userData(), "strandline", "demo"))
	if err := parseAll(flags, args); err != nil {
		return err
	}
	files := webdemo.Files()
	if files == nil {
		return errNotBundled
	}
	if *data == "" {
		if userData() == "" {
			return errors.New("this user has no home directory: name a data directory with --data DIR")
		}
		*data = filepath.Join(userData(), "strandline", "demo")
	}
	auth, err := authOf("none", *addr)
	if err != nil {
		return fmt.Errorf("--addr %s is no loopback address, and the demo is for this machine alone; for others there is strandline serve --auth secret:FILE", *addr)
	}
	fmt.Printf("the data is kept in %s\n", *data)
	l := listening{addr: *addr, data: *data, files: builtIn(files), open: true, config: server.Config{Auth: auth, MaxActionBytes: demoMaxAction}}
	return l.run()
}

// userData is where programs keep a user's data on this system; empty where the user has no home.
func userData() string {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	in := func(setting string, parts ...string) string {
		if dir := os.Getenv(setting); dir != "" && filepath.IsAbs(dir) {
			return dir
		}
		if home == "" {
			return ""
		}
		return filepath.Join(append([]string{home}, parts...)...)
	}
	switch runtime.GOOS {
	case "windows":
		return in("LOCALAPPDATA", "AppData", "Local")
	case "darwin":
		return in("", "Library", "Application Support")
	}
	return in("XDG_DATA_HOME", ".local", "share")
}
