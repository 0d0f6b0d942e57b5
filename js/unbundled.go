//go:build !bundled

package js

import "io/fs"

// Files is nil: they are built in with the tag bundled.
func Files() fs.FS { return nil }
