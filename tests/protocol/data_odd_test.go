package protocol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/server"
)

// Requests to data streams at odd places, which a review found to go wrong.
func TestOddRequestsToDataStreams(t *testing.T) {
	a := newAPI(t, func(c *server.Config) {
		c.ValidateData = func(_ context.Context, j *server.JudgedEntry) error {
			if strings.Contains(string(j.Body), "bad") {
				return errors.New("that is a bad word")
			}
			return nil
		}
	})
	make := func(name, kind, body string, want int) string {
		t.Helper()
		status, h, text := a.request("PUT", "/v1/data/"+name, []byte(body), map[string]string{"Content-Type": kind})
		if status != want {
			t.Fatalf("%s: %d %s", name, status, text)
		}
		return h.Get("Stream-Next-Offset")
	}
	get := func(path string) (int, string) {
		t.Helper()
		status, _, body := a.request("GET", "/v1/data/"+path, nil, nil)
		return status, body
	}
	// What a stream is created with is judged as well; a stream has no type of our own.
	make("judged", "text/plain", "a bad one", 422)
	make("typed", entriesKind, "", 400)
	// A page of another site does not write.
	for _, site := range []string{"cross-site", "same-origin", "none"} {
		if status, _, body := a.request("PUT", "/v1/data/site", nil, map[string]string{"Content-Type": "text/plain", "Sec-Fetch-Site": site, "Origin": "https://evil.example"}); (status == 403) != (site == "cross-site") {
			t.Errorf("%s: %d %s", site, status, body)
		}
	}
	// Several entries do not come in parts.
	make("json", "application/json", `["11111","22222"]`, 201)
	if status, _, body := a.request("POST", "/v1/data/json", framed(`3`), producing(0, 0, "Upload-Offset", "0", "Upload-Complete", "?1")); status != 400 {
		t.Error(status, body)
	}
	// Entries have lengths that can be, on machines of any size.
	for _, length := range []string{"\xff\xff\xff\xff", "\x80\x00\x00\x00", "\x7f\xff\xff\xff", "\x00\x00\x00\x03", "\x00\x00\x00\x00"} {
		body := append(bytes.Repeat([]byte{1}, 16), length+"12"...)
		status, _, text := a.request("POST", "/v1/data/json", body, map[string]string{"Content-Type": entriesKind})
		if status != 400 || !strings.Contains(text, "a length that cannot be") {
			t.Errorf("%q: %d %s", length, status, text)
		}
	}
	// JSON is read, and forked, between messages only.
	if status, body := get("json"); body != `["11111","22222"]` {
		t.Error(status, body)
	}
	_, h, _ := a.request("HEAD", "/v1/data/json", nil, nil)
	within := h.Get("Stream-Next-Offset")[:17] + "0000000000000010_1"
	if status, body := get("json?offset=" + within); status != 400 {
		t.Error(status, body)
	}
	if status, _, body := a.request("PUT", "/v1/data/fork", nil, map[string]string{"Stream-Forked-From": "json", "Stream-Fork-Offset": within}); status != 400 {
		t.Error(status, body)
	}
	// A fork at the beginning knows its source's offset of it.
	begin := make("empty", "text/plain", "", 201)
	if status, _, body := a.request("PUT", "/v1/data/begun", []byte("own"), map[string]string{"Stream-Forked-From": "empty", "Stream-Fork-Offset": begin}); status != 201 {
		t.Fatal(status, body)
	}
	for _, offset := range []string{begin, "-1", "0000000000000000_0000000000000000"} {
		if status, body := get("begun?offset=" + offset); body != "own" {
			t.Errorf("%s: %d %s", offset, status, body)
		}
	}
	// The time that was given counts, however long ago it is.
	a.request("PUT", "/v1/data/old", nil, map[string]string{"Content-Type": "text/plain", "Stream-Expires-At": "1970-01-01T00:00:00Z"})
	if status, body := get("old"); status != 404 {
		t.Error(status, body)
	}
	// One entry is not tailed.
	if status, body := get("json?live=sse&offset=-1&entry=" + entryID("x").String()); status != 400 {
		t.Error(status, body)
	}
	// An id twice in one body is one entry.
	make("twice", "text/plain", "", 201)
	a.request("POST", "/v1/data/twice", framed("one,", "one,", "two"), producing(0, 0))
	if _, body := get("twice"); body != "one,two" {
		t.Error(body)
	}
	// Entries of a copy, sent under the number that closed the stream, are not taken for those.
	a.request("POST", "/v1/data/twice", framed("three"), producing(0, 1, "Stream-Closed", "true"))
	for want, body := range map[int][]byte{204: framed("three"), 403: framed("four")} {
		if status, _, text := a.request("POST", "/v1/data/twice", body, producing(0, 1, "Stream-Closed", "true")); status != want {
			t.Errorf("%d %s, want %d", status, text, want)
		}
	}
	// A copy that comes late to a closed stream hears that it is closed, unless the stream has its entries.
	for want, body := range map[int][]byte{204: framed("two"), 409: framed("five")} {
		if status, _, text := a.request("POST", "/v1/data/twice", body, producing(0, 7)); status != want {
			t.Errorf("%d %s, want %d", status, text, want)
		}
	}
	// What was read of one stream is not gone on with in another of its name.
	old := make("again", "text/plain", "x", 201)
	a.request("DELETE", "/v1/data/again", nil, nil)
	make("again", "text/plain", "", 201)
	if status, _, body := a.request("POST", "/v1/data/again", framed("y"), producing(0, 0, "Strandline-After", old)); status != 410 || !strings.Contains(body, `"gone"`) {
		t.Error(status, body)
	}
	if status, _, body := a.request("POST", "/v1/data/again", framed("1"), producing(0, 0, "Stream-Content-Type", "application/json")); status != 409 || !strings.Contains(body, `"content-type"`) {
		t.Error(status, body)
	}
	// No page ends within a rune, also where another entry began in it.
	make("text", "text/plain", strings.Repeat("a", 1<<20-1), 201)
	a.request("POST", "/v1/data/text", []byte("€uro"), map[string]string{"Content-Type": "text/plain"})
	_, h, body := a.request("GET", "/v1/data/text", nil, nil)
	if !strings.HasSuffix(body, "a") {
		t.Errorf("it ends with %q", body[len(body)-3:])
	}
	if _, rest := get("text?offset=" + h.Get("Stream-Next-Offset")); rest != "€uro" {
		t.Errorf("%q", rest)
	}
	if h.Get("Content-Security-Policy") == "" {
		t.Error("a page that somebody appended would be one of this origin")
	}
	// A request has no more messages than others can wait for; forks have no more forks than a read can walk.
	if status, _, _ := a.request("POST", "/v1/data/json", []byte("["+strings.Repeat("0,", 10_000)+"0]"), nil); status != 413 {
		t.Error(status)
	}
	last := 201
	for i := 0; i < 80 && last == 201; i++ {
		from := "text"
		if i > 0 {
			from = fmt.Sprint("fork/", i-1)
		}
		last, _, _ = a.request("PUT", fmt.Sprint("/v1/data/fork/", i), []byte("x"), map[string]string{"Stream-Forked-From": from})
	}
	if last != 400 {
		t.Error("forks of forks without end")
	}
}
