package state

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
)

// answer is one text of n updates, most of them of one object: what a server sends.
func answer(t *testing.T, n, from int, payload string) (actions []*action.Action, bytes int) {
	t.Helper()
	var all strings.Builder
	var ends []int
	for i := range n {
		if at := from + i; at == 1 || at%500 == 0 {
			all.WriteString(canonical(t, at, fmt.Sprintf(`{"fields":{"text":"%s"},"object":"0b1ec700-0000-4000-8000-%012d","op":"create","type":"row"}`,
				payload, at)))
		} else {
			all.WriteString(canonical(t, at, fmt.Sprintf(`{"object":"0b1ec700-0000-4000-8000-%012d","op":"update","set":{"text":"%d %s"}}`, 1, at, payload)))
		}
		ends = append(ends, all.Len())
	}
	text, begin := all.String(), 0
	for _, end := range ends {
		a, err := action.DecodeAction(text[begin:end])
		if err != nil {
			t.Fatal(err, text[begin:end])
		}
		actions, begin = append(actions, a), end
	}
	return actions, len(text)
}

func canonical(t *testing.T, n int, op string) string {
	t.Helper()
	text, err := action.Canonical(fmt.Sprintf(`{"at":"2026-11-22T20:00:00.000Z","base":0,"client":"c11e0000-0000-4000-8000-000000000001",`+
		`"id":"ac710000-0000-4000-8000-%012d","ops":[%s],"seq":%d}`, n+1, op, n+1), 40)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Memory follows what is there, and not what was: 100 answers that mostly update one object, with and without a reader (C17).
func TestMemoryFollowsTheState(t *testing.T) {
	for _, watched := range []bool{false, true} {
		s := NewState()
		payload := strings.Repeat("x", 600)
		before := heap()
		for round := range 100 {
			actions, bytes := answer(t, 500, 500*round, payload)
			outer := Step{}
			if watched {
				outer = s.BeginStep()
			}
			for _, a := range actions {
				s.ApplyEntry(a, nil, nil)
			}
			if watched {
				s.EndStep(outer)
			}
			s.Came(bytes)
			for s.Untidy() {
				s.Tidy()
			}
		}
		held := heap() - before
		if s.Len() != 101 || held > 4*int64(TidyLeast) {
			t.Errorf("watched %v: %d objects hold %d KiB", watched, s.Len(), held>>10)
		}
	}
}

// An object holds at most twice its JSON and 40 bytes for each of its keys (C26), whether it came by entries or by a checkpoint.
func TestAnObjectIsHeldInLittle(t *testing.T) {
	const n = 20_000
	fields := func(i int) string {
		return fmt.Sprintf(`{"done":false,"order":%d,"tags":["a","b"],"title":"Buy %d bottles of milk"}`, i, i)
	}
	row := len(fields(n)) + len(`{"fields":,"id":"0b1ec700-0000-4000-8000-000000000001","type":"row"}`)
	limit := 2*row + 4*40
	check := func(how string, s *State, before int64) {
		t.Helper()
		if each := int(heap()-before) / n; s.Len() != n || each > limit {
			t.Errorf("%s: %d objects hold %d bytes each, of %d with JSON of %d", how, s.Len(), each, limit, row)
		} else {
			t.Logf("%s: %d bytes each, JSON %d", how, each, row)
		}
	}
	before := heap()
	s := NewState()
	for from := 0; from < n; from += 500 {
		var all strings.Builder
		for i := range 500 {
			all.WriteString(canonical(t, from+i, fmt.Sprintf(`{"fields":%s,"object":"0b1ec700-0000-4000-8000-%012d","op":"create","type":"row"}`, fields(from+i), from+i)))
		}
		text, size := all.String(), all.Len()
		for len(text) > 0 {
			end := strings.Index(text[1:], `{"at"`) + 1
			if end == 0 {
				end = len(text)
			}
			a, err := action.DecodeAction(text[:end])
			if err != nil {
				t.Fatal(err)
			}
			s.ApplyEntry(a, nil, nil)
			text = text[end:]
		}
		s.Came(size)
		for s.Untidy() {
			s.Tidy()
		}
	}
	check("by entries", s, before)
	text := s.AppendCheckpoint(nil, "s")
	runtime.KeepAlive(s)
	s = nil
	_, read, err := ReadCheckpoint(action.View(text))
	if err != nil {
		t.Fatal(err)
	}
	for read.Untidy() {
		read.Tidy()
	}
	text = nil
	check("by a checkpoint", read, before)
	runtime.KeepAlive(read)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
