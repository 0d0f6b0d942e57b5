package protocol

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/server"
)

type history struct {
	Changes []struct {
		Index           uint64
		At              string
		Client          string
		Kind, Discarded string
		Changed         []string
		Row             map[string]any
	}
	From, Head uint64
	Row        map[string]any
	More       bool
}

func (a *api) history(stream, object string) (h history) {
	a.t.Helper()
	status, _, body := a.request(http.MethodGet, "/v1/history?stream="+stream+"&object="+object, nil, nil)
	if err := json.Unmarshal([]byte(body), &h); err != nil || status != 200 {
		a.t.Fatalf("%d, %v: %s", status, err, body)
	}
	return h
}

// said is a history in a line.
func (h *history) said() (out string) {
	for _, c := range h.Changes {
		out += fmt.Sprintf("%d %s %v", c.Index, c.Kind, c.Changed)
		if c.Discarded != "" {
			out += " " + c.Discarded
		}
		if c.Row != nil {
			out += fmt.Sprint(" ", c.Row["title"], c.Row["n"])
		}
		out += "; "
	}
	return out
}

// Who has changed an object is told entry by entry.
func TestTheHistoryOfAnObject(t *testing.T) {
	a := newAPI(t, nil)
	const id = "0b1ec700-0000-4000-8000-000000000007"
	var it item
	for seq, op := range []string{
		`{"fields":{"n":1,"title":"a"},"object":"` + id + `","op":"create","type":"todo"}`,
		strings.Trim(creates(5), "[]"),
		`{"inc":{"n":2},"object":"` + id + `","op":"update","set":{"title":"b"}}`,
		`{"inc":{"title":1},"object":"` + id + `","op":"update"}`,   // discarded: no number
		`{"object":"` + id + `","op":"update","set":{"title":"b"}}`, // nothing changes
		`{"object":"` + id + `","op":"update","unset":["n"]},{"object":"` + id + `","op":"update","set":{"title":"c"}}`,
		`{"object":"` + id + `","op":"remove"}`,
		`{"object":"` + id + `","op":"update","set":{"title":"x"}}`, // discarded: it is not there
		`{"fields":{"title":"again"},"object":"` + id + `","op":"create","type":"todo"}`,
	} {
		if it = a.turn(1, at(it)+`,"actions":[`+actionOf(1, seq+1, 0, "["+op+"]")+`]`); len(it.Persisted) != 1 {
			t.Fatalf("%s: %+v", op, it)
		}
	}
	h := a.history("s", id)
	want := "1 create [n title] a1; 3 update [n title] b3; 4 update [] type b3; 5 update [] b3; 6 update [n title] c<nil>; 7 remove [title]; 8 update [] missing; 9 create [title] again<nil>; "
	if h.said() != want || h.From != 0 || h.Head != 9 || h.More || h.Row != nil || h.Changes[0].Client != clientID(1) || h.Changes[0].At == "" {
		t.Errorf("\n got %s\nwant %s\n%+v", h.said(), want, h)
	}
	if h := a.history("s", "0b1ec700-0000-4000-8000-00000000ffff"); len(h.Changes) != 0 || h.Head != 9 {
		t.Errorf("of none: %+v", h)
	}
	if h := a.history("nobody", id); len(h.Changes) != 0 || h.Head != 0 {
		t.Errorf("of no stream: %+v", h)
	}
	for query, pointer := range map[string]string{"stream=s": "/object", "stream=s&object=x": "/object", "object=" + id: "/stream", "stream=s&object=" + strings.ToUpper(id): "/object"} {
		if status, _, body := a.request(http.MethodGet, "/v1/history?"+query, nil, nil); status != 400 || !strings.Contains(body, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}

// Where a checkpoint stands for the beginning of a log, the history begins there, with what the object was.
func TestTheHistoryOfALogThatIsNotWhole(t *testing.T) {
	a := newAPI(t, func(c *server.Config) {
		c.CheckpointBytes, c.Keep = 2000, 3
		c.Background = func(f func()) { f() }
	})
	it := a.add(1, 1, 60, item{})
	h := a.history("s", "0b1ec700-0000-4000-8000-000000000001")
	if h.From == 0 || h.From > 60 || h.Row["type"] != "t" || len(h.Changes) != 0 || h.Head != 60 {
		t.Errorf("%+v", h)
	}
	const id = "0b1ec700-0000-4000-8000-000000000001"
	a.turn(1, at(it)+`,"actions":[`+actionOf(1, 61, 0, `[{"object":"`+id+`","op":"update","set":{"title":"b"}}]`)+`]`)
	if h := a.history("s", id); len(h.Changes) != 1 || h.Changes[0].Index != 61 || h.Changes[0].Row["title"] != "b" {
		t.Errorf("%+v", h)
	}
}

// A history of many changes tells the last ones, and that there were others; who may not read hears nothing.
func TestAHistoryIsBounded(t *testing.T) {
	a := newAPI(t, nil)
	const id = "0b1ec700-0000-4000-8000-000000000007"
	it := a.turn(1, `"after":0,"actions":[`+actionOf(1, 1, 0, `[{"fields":{},"object":"`+id+`","op":"create","type":"todo"}]`)+`]`)
	for seq := 2; seq < 1302; {
		var actions []string
		for range 100 {
			actions = append(actions, actionOf(1, seq, 0, fmt.Sprintf(`[{"object":"%s","op":"update","set":{"n":%d}}]`, id, seq)))
			seq++
		}
		if it = a.turn(1, at(it)+`,"actions":[`+strings.Join(actions, ",")+`]`); len(it.Persisted) != 100 {
			t.Fatalf("%+v", it)
		}
	}
	h := a.history("s", id)
	if len(h.Changes) != 1000 || !h.More || h.Changes[999].Index != 1301 || h.Changes[0].Index != 302 {
		t.Errorf("%d changes, more %v", len(h.Changes), h.More)
	}
	denied := newAPI(t, func(c *server.Config) { c.Auth = server.Secret("0123456789abcdef") })
	if status, _, _ := denied.request(http.MethodGet, "/v1/history?stream=s&object="+id, nil, nil); status != 401 {
		t.Errorf("without a token: %d", status)
	}
}
