//go:build bundled

package js

import (
	"embed"
	"io/fs"
)

//go:embed dist/*.js dist/*.d.ts dist/strandline.*.wasm
var dist embed.FS

// Files are the built ones, under the names that the npm package has them by, and the scripts under hashed names too. They are built in with the
// tag bundled, after make build has made them.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}
