package protocol

import (
	"fmt"
	"testing"
)

func TestDecodeHint(t *testing.T) {
	for event, want := range map[string]Hint{
		"event: head\ndata: {\"head\":7,\"stream\":\"lists/1\"}":             {Stream: "lists/1", Head: 7},
		"data: {\"stream\":\"lists/1\",\"head\":7,\"new\":[1]}\nevent: head": {Stream: "lists/1", Head: 7},
		"event: data\ndata: {\"data\":\"log/1\",\"offset\":\"1_2\"}":         {Data: "log/1", Offset: "1_2"},
		"event:data\ndata:{\"data\":\"log/1\",\"offset\":\"\"}":              {Data: "log/1"},
		":":           {},
		"event: head": {},
		"data: {\"head\":7,\"stream\":\"lists/1\"}":                      {},
		"event: data\ndata: {\"head\":7,\"stream\":\"lists/1\"}":         {},
		"event: head\ndata: {\"data\":\"log/1\",\"offset\":\"1_2\"}":     {},
		"event: head\ndata: {\"head\":-7,\"stream\":\"lists/1\"}":        {},
		"event: head\ndata: {\"head\":7,\"stream\":\"lists/1\"":          {},
		"event: other\ndata: {\"data\":\"log/1\"}":                       {},
		"event: data\ndata: {\"data\":\"log/1\",\"stream\":\"lists/1\"}": {},
		"event: head\ndata: {\"data\":\"log/1\",\"stream\":\"lists/1\"}": {},
	} {
		got, ok := DecodeHint(event)
		if ok != (want != Hint{}) || ok && got != want {
			t.Errorf("%q: %v %v, want %v", event, got, ok, want)
		}
	}
}

func TestTopics(t *testing.T) {
	for _, about := range []Topics{{Streams: []string{"a", "lists/1"}}, {Data: []string{"log"}}, {Streams: []string{"a"}, Data: []string{"b", "c"}}} {
		got, err := DecodeTopics(string(AppendTopics(nil, &about)))
		if err != nil || fmt.Sprint(got) != fmt.Sprint(about) {
			t.Errorf("%v: %v %v", about, got, err)
		}
	}
}
