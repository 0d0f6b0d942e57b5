package engine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The engines.
const (
	Chromium = "chromium"
	Firefox  = "firefox"
	WebKit   = "webkit"
)

// Name is that of the engine that tests are to run in: the environment's ENGINE, else Chromium.
func Name() string {
	if name := os.Getenv("ENGINE"); name != "" {
		return name
	}
	return Chromium
}

// binary is the program of an engine.
func binary(name string) (string, error) {
	switch name {
	case Chromium:
		for _, path := range []string{os.Getenv("CHROME"), "chromium", "chromium-browser", "google-chrome"} {
			if found, err := exec.LookPath(path); path != "" && err == nil {
				return found, nil
			}
		}
	case Firefox:
		for _, path := range []string{os.Getenv("FIREFOX"), "firefox-esr", "firefox"} {
			if found, err := exec.LookPath(path); path != "" && err == nil {
				return found, nil
			}
		}
	case WebKit:
		found, _ := filepath.Glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser")
		if path := os.Getenv("MINIBROWSER"); path != "" {
			found = append([]string{path}, found...)
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return "", fmt.Errorf("there is no %s here", name)
}
