package action

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestStampsAreISO8601(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62_135_596_800_000, 253_402_300_799_999).Draw(t, "ms")
		want := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
		if got := string(AppendStamp(nil, ms)); got != want {
			t.Fatalf("%d: %s, want %s", ms, got, want)
		}
		if got := ParseStamp(want); got != ms {
			t.Fatalf("%s: %d, want %d", want, got, ms)
		}
	})
	for _, bad := range []string{"", "2026-02-30T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01 00:00:00.000Z", "2026-01-01T00:00:00.0x0Z", "2026-01-01T00:00:00Z"} {
		if got := ParseStamp(bad); got != 0 {
			t.Errorf("%q: %d", bad, got)
		}
	}
}
