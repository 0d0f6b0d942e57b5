// Command vendor makes yjs.js, the one script that the demo has from others, out of the npm package in js/node_modules: to build the demo needs no npm.
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vendor:", err)
		os.Exit(1)
	}
}

func run() error {
	const from, to = "js/node_modules/", "web-demo/vendor/"
	version, err := os.ReadFile(from + "yjs/package.json")
	if err != nil {
		return fmt.Errorf("%w; run make npm", err)
	}
	_, number, _ := strings.Cut(string(version), `"version": "`)
	number, _, _ = strings.Cut(number, `"`)
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{from + "yjs/dist/yjs.mjs"}, Outfile: to + "yjs.js", Bundle: true, Write: true, AllowOverwrite: true,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true, Target: api.ES2022, Format: api.FormatESModule, Platform: api.PlatformBrowser,
		LegalComments: api.LegalCommentsNone, LogLevel: api.LogLevelWarning,
		Banner: map[string]string{"js": "/* Yjs " + number + " with lib0, MIT license: yjs.LICENSE */"},
	})
	if len(r.Errors) > 0 {
		return fmt.Errorf("bundle: %s", r.Errors[0].Text)
	}
	var licenses []byte
	for _, name := range []string{"yjs", "lib0"} {
		text, err := os.ReadFile(from + name + "/LICENSE")
		if err != nil {
			return err
		}
		licenses = append(append(append(licenses, name+"\n\n"...), text...), '\n')
	}
	return os.WriteFile(to+"yjs.LICENSE", licenses, 0o644)
}
