package protocol

import (
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/judge"
)

// A judge that is another program: it sees actions and who made them, refuses some with words, and while it answers badly or not at all nothing is
// decided, for that stream alone.
func TestAJudgeByWebhook(t *testing.T) {
	const secret = "a-secret-between-us"
	var answer atomic.Value // what it says: a status and a body
	var asked atomic.Int64
	release := make(chan struct{})
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		body, _ := io.ReadAll(r.Body)
		seconds, _ := strconv.ParseInt(strings.TrimPrefix(strings.Split(r.Header.Get(judge.Signature), ",")[0], "t="), 10, 64)
		if !hmac.Equal([]byte(judge.Sign([]byte(secret), time.Unix(seconds, 0), body)), []byte(r.Header.Get(judge.Signature))) || time.Since(time.Unix(seconds, 0)) > time.Minute {
			http.Error(w, "who are you?", http.StatusForbidden)
			return
		}
		var q struct {
			Stream    string
			Principal struct {
				Subject string
				Claims  map[string]any
			}
			Actions []struct{ ID string }
		}
		if err := json.Unmarshal(body, &q); err != nil || q.Principal.Subject != "ada" || q.Principal.Claims["role"] != "cook" {
			http.Error(w, "what do you ask?", http.StatusBadRequest)
			return
		}
		text, _ := answer.Load().(string)
		status, text, _ := strings.Cut(text, " ")
		switch {
		case status == "hang" && q.Stream == "s":
			<-release
		case status == "hang":
			fmt.Fprint(w, `{"refused":[]}`)
		case status == "302":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			n, _ := strconv.Atoi(status)
			w.WriteHeader(n)
			fmt.Fprint(w, strings.ReplaceAll(text, "LAST", q.Actions[len(q.Actions)-1].ID))
		}
	}))
	defer back.Close()
	defer close(release)
	hook, err := judge.New(back.URL, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	hook.Timeout = 200 * time.Millisecond
	a := newAPI(t, func(c *server.Config) { c.Judge, c.Auth = hook.Judge, cook{} })
	first := at(item{})
	offer := func(stream string, seqs ...int) string {
		var all []string
		for _, seq := range seqs {
			all = append(all, actionOf(1, seq, 0, creates(seq)))
		}
		return `{"stream":"` + stream + `","client":"` + clientID(1) + `",` + first + `,"actions":[` + strings.Join(all, ",") + `]}`
	}
	for _, bad := range []string{"500 ", "302 ", "204 ", "200 ", "200 garbage", "200 {}", `200 {"refused":null}`, `200 {"refused":[{"id":"` + actionID(9, 9) + `"}]}`,
		`200 {"refused":[{"id":"LAST","code":"unavailable"}]}`, `200 {"refused":[{"id":"LAST","code":"Not a code"}]}`, `200 {"refused":[], "x": "` + strings.Repeat("x", 1<<20) + `"}`, "hang"} {
		answer.Store(bad)
		it := a.sync(`{"streams":[` + offer("s", 1, 2) + `]}`)[0]
		if it.Error == nil || it.Error.Code != "unavailable" || it.Head != 0 || len(it.Rejected)+len(it.Persisted) > 0 {
			t.Errorf("%.60s: %+v", bad, it)
		}
	}
	// While it hangs about one stream the others go on, also in the same request, and who only reads is not asked about.
	answer.Store("hang")
	asked.Store(0)
	both := a.sync(`{"streams":[` + offer("s", 1, 2) + `,` + offer("t", 1) + `,{"stream":"u","client":"` + clientID(1) + `","after":0}]}`)
	if both[0].Error == nil || both[1].Error != nil || len(both[1].Persisted) != 1 || both[2].Error != nil || asked.Load() != 2 {
		t.Errorf("%+v, asked %d times", both, asked.Load())
	}
	// Who lacks entries gets them, and the judge is not asked yet.
	answer.Store("500 ")
	asked.Store(0)
	if it := a.sync(`{"streams":[` + offer("t", 2) + `]}`)[0]; it.Error != nil || len(it.Entries) != 1 || asked.Load() != 0 {
		t.Errorf("%+v, asked %d times", it, asked.Load())
	}
	answer.Store(`200 {"refused":[{"id":"LAST","message":"too late"}], "more": 1}`)
	it := a.sync(`{"streams":[` + offer("s", 1, 2, 3) + `]}`)[0]
	if len(it.Persisted) != 2 || fmt.Sprint(it.Rejected) != "[{"+actionID(1, 3)+" forbidden too late}]" {
		t.Errorf("%+v", it)
	}
	answer.Store(`200 {"refused":[{"id":"LAST","code":"sold-out","message":"` + strings.Repeat("ö", 900) + `"}]}`)
	first = at(it)
	it = a.sync(`{"streams":[` + offer("s", 4) + `]}`)[0]
	if len(it.Rejected) != 1 || it.Rejected[0].Code != "sold-out" || len(it.Rejected[0].Message) != 1000 {
		t.Errorf("%+v", it)
	}
	for _, bad := range [][2]string{{"ftp://x/", secret}, {"/judge", secret}, {"https://u:p@x/", secret}, {back.URL, "short"}} {
		if _, err := judge.New(bad[0], []byte(bad[1])); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

// cook lets one in who has a claim.
type cook struct{}

func (cook) Authenticate(*http.Request) (server.Principal, error) {
	return server.Principal{Subject: "ada", Claims: map[string]any{"role": "cook"}}, nil
}
func (cook) Allow(server.Principal, string, server.Right) bool { return true }
