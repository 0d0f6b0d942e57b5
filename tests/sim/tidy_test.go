package sim

import "github.com/strandline-sync/strandline/core/state"

// Histories are short: what lives is copied out all the same.
func init() { state.TidyLeast = 4000 }
