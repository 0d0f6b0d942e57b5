package state

import (
	"math"

	"github.com/strandline-sync/strandline/core/action"
)

// Merge gives the value of a key after a change: empty for none. old is empty where the key is absent.
func Merge(ch *action.Change, old string) (value string, reason Reason) {
	switch ch.Part {
	case action.PartSet:
		return ch.Value, ReasonNone
	case action.PartUnset:
		return "", ReasonNone
	case action.PartInc:
		return sum(old, ch.Value)
	case action.PartUnion:
		return union(old, ch.Value)
	default:
		return without(old, ch.Value)
	}
}

func sum(old, by string) (string, Reason) {
	n := 0.0
	if old != "" {
		if old[0] != '-' && old[0]-'0' > 9 {
			return "", ReasonType
		}
		n, _ = action.ParseNumber(old)
	}
	d, _ := action.ParseNumber(by)
	n += d
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return "", ReasonType
	}
	return action.View(action.AppendNumber(nil, n)), ReasonNone
}

// union appends, in order, the values that the array lacks.
func union(old, values string) (string, Reason) {
	if old == "" {
		old = "[]"
	}
	if old[0] != '[' {
		return "", ReasonType
	}
	have := make(map[string]bool)
	for v := range action.Elements(old) {
		have[v] = true
	}
	n := action.CountElements(old)
	out := append(make([]byte, 0, len(old)+len(values)), old[:len(old)-1]...)
	for v := range action.Elements(values) {
		if have[v] {
			continue
		}
		have[v] = true
		if n > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
		n++
	}
	if n > action.MaxArray {
		return "", ReasonSize
	}
	return action.View(append(out, ']')), ReasonNone
}

// without takes every equal value out of the array. An absent key stays absent.
func without(old, values string) (string, Reason) {
	if old == "" {
		return "", ReasonNone
	}
	if old[0] != '[' {
		return "", ReasonType
	}
	gone := make(map[string]bool)
	for v := range action.Elements(values) {
		gone[v] = true
	}
	out := append(make([]byte, 0, len(old)), '[')
	for v := range action.Elements(old) {
		if gone[v] {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return action.View(append(out, ']')), ReasonNone
}
