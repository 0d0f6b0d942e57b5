package action

import (
	"encoding/json"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// encoding/json writes numbers as ECMAScript does; number_js_test.go holds ours against JavaScript itself.
func TestNumbersAreECMAScripts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		if math.IsNaN(f) || math.IsInf(f, 0) || f == 0 {
			return
		}
		want, _ := json.Marshal(f)
		if got := string(AppendNumber(nil, f)); got != string(want) {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}
