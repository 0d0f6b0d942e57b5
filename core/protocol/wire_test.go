package protocol

import "testing"

// A sync answer from anywhere never panics, and a request is either an error or has items.
func FuzzWire(f *testing.F) {
	f.Add(`{"streams":[{"stream":"a","epoch":"00000000-0000-4000-8000-00000000000a","head":1,"chain":"0000000000000000","entries":[{"index":1,"action":{}}],"persisted":[{"id":"00000000-0000-4000-8000-00000000000a","index":2}],"rejected":[{"id":"00000000-0000-4000-8000-00000000000a","code":"x","message":"y"}]}]}`)
	f.Add(`{"streams":[{"stream":"a","client":"00000000-0000-4000-8000-00000000000a","after":0,"actions":[{"id":"00000000-0000-4000-8000-00000000000b","client":"00000000-0000-4000-8000-00000000000a"}],"drain":true}]}`)
	f.Add(`{"data":["a"],"streams":["b","c/d"]}`)
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = DecodeSyncAnswer(text)
		_ = DecodeProblem(text)
		if about, err := DecodeTopics(text); err == nil {
			again, err := DecodeTopics(string(AppendTopics(nil, &about)))
			if err != nil || len(again.Streams) != len(about.Streams) || len(again.Data) != len(about.Data) {
				t.Fatalf("%q: %v", text, err)
			}
		}
		items, _, err := DecodeSyncRequest(text)
		if err == nil {
			for i := range items {
				for j := range items[i].Offers {
					if o := &items[i].Offers[j]; items[i].Err == nil && o.Client != items[i].Client {
						t.Fatalf("%q: another client's action passed", text)
					}
				}
			}
		}
	})
}
