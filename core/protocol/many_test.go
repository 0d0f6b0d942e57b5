package protocol

import (
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
)

// What is over the limit is not collected first (S21): a request of millions of empty arrays costs what reading its text does.
func TestTooManyActionsAreCountedAsTheyCome(t *testing.T) {
	body := `{"streams":[{"stream":"s","client":"01940000-0000-7000-8000-000000000001","after":0,"actions":[` + strings.Repeat("[],", 1_000_000) + `[]]}]}`
	var err error
	allocated := testing.AllocsPerRun(1, func() { _, _, err = DecodeSyncRequest(body) })
	if action.CodeOf(err) != action.CodeTooLarge || allocated > 20_000 {
		t.Fatalf("%v after %v allocations", err, allocated)
	}
}
