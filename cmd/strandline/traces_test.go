package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"

	"github.com/strandline-sync/strandline/tests/patience"
)

// Requests and what they ask the engine are traced, under the sender's trace where there is one, and nothing of anybody's is in that.
func TestTraces(t *testing.T) {
	var mu sync.Mutex
	var got bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		io.Copy(&got, r.Body)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	const canary = "canary-1f3a"
	server, url := start(t, "--data", t.TempDir(), "--traces", collector.URL+"/v1/traces", "--trace-share", "0")
	get := func(sampled string) {
		req, _ := http.NewRequest("GET", url+"/v1/log?stream="+canary, nil)
		req.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"+sampled)
		resp, err := http.DefaultClient.Do(req)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		resp.Body.Close()
	}
	get("00")
	get("01")
	server.Process.Signal(syscall.SIGTERM)
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
	patience.True(t, "the spans", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return bytes.Contains(got.Bytes(), []byte("GET /v1/log"))
	})
	if n := bytes.Count(got.Bytes(), []byte("GET /v1/log")); n != 1 || !bytes.Contains(got.Bytes(), []byte("engine log")) || !bytes.Contains(got.Bytes(), []byte("\x0a\xf7\x65\x19\x16\xcd")) {
		t.Errorf("%d spans: %q", n, got.Bytes())
	}
	if bytes.Contains(got.Bytes(), []byte(canary)) {
		t.Error("a name is in a span")
	}
	for _, args := range [][]string{{"--traces", "x"}, {"--traces", collector.URL, "--trace-share", "2"}} {
		if _, errs, err := run("", append([]string{"serve", "--data", t.TempDir(), "--addr", "127.0.0.1:0"}, args...)...); err == nil {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
}
