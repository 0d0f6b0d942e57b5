package core

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
		if got := string(appendNumber(nil, f)); got != string(want) {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func TestSmallNumbersAreReadWithoutStrconv(t *testing.T) {
	for _, text := range []string{"0", "7", "123456789", "1234567890", "-5", "1.5", "1e+21", "999999999"} {
		want, _ := parseNumber(text)
		if got := number(text); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
