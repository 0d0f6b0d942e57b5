package state

import (
	"strconv"

	"github.com/strandline-sync/strandline/core/action"
)

type sortKey struct {
	rank uint8
	num  float64
	str  string
}

func sortKeyOf(value string) sortKey {
	if value == "" {
		return sortKey{}
	}
	switch value[0] {
	case 'n':
		return sortKey{rank: rankNull}
	case 'f':
		return sortKey{rank: rankFalse}
	case 't':
		return sortKey{rank: rankTrue}
	case '"':
		return sortKey{rank: rankString, str: action.Unquote(value)}
	case '{', '[':
		return sortKey{rank: rankRest, str: value}
	}
	return sortKey{rank: rankNumber, num: number(value)}
}

// number reads a canonical number; small integers, which most are, without strconv.
func number(text string) float64 {
	if len(text) <= 9 && text[0] != '-' {
		n := 0
		for i := 0; i < len(text); i++ {
			if text[i]-'0' > 9 {
				n = -1
				break
			}
			n = n*10 + int(text[i]-'0')
		}
		if n >= 0 {
			return float64(n)
		}
	}
	f, _ := strconv.ParseFloat(text, 64)
	return f
}

func (k *sortKey) compare(l *sortKey) int {
	if k.rank != l.rank {
		return int(k.rank) - int(l.rank)
	}
	switch {
	case k.rank == rankNumber && k.num != l.num:
		if k.num < l.num {
			return -1
		}
		return 1
	case k.rank >= rankString:
		return action.CompareKeys(k.str, l.str)
	}
	return 0
}

const (
	rankAbsent = iota
	rankNull
	rankFalse
	rankTrue
	rankNumber
	rankString
	rankRest
)
