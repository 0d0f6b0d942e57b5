// Package js is the JavaScript side for Go programs: its version, and the files that browsers load, where they are built in.
package js

import (
	_ "embed"
	"encoding/json"
)

//go:embed package.json
var manifest []byte

// Version is that of the npm package, which is the whole project's.
func Version() string {
	var p struct{ Version string }
	if err := json.Unmarshal(manifest, &p); err != nil {
		panic(err) // it was built in
	}
	return p.Version
}
