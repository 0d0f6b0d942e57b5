//go:build !unix

package patience

import "time"

var began = time.Now()

// onProcessor is the clock on the wall, where nothing better is known.
func onProcessor() time.Duration { return time.Since(began) }
