package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const eraseRules = `{
	"secrets": {"canary-ada": {"secret": "ada-ada-ada-ada-ada"}, "backend": {"secret": "backend-backend-1"}},
	"rules": [
		{"secret": "backend", "streams": ["**"], "may": ["read", "append", "delete", "list"]},
		{"secret": "canary-ada", "streams": ["**"], "may": ["read", "append"]},
		{"streams": ["user/{sub}/**"], "may": ["read", "append"]}
	]}`

// holds tells which files of a directory hold some bytes.
func holds(t *testing.T, dir, what string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(what)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// Who is erased stands in no file, beside a running server as without one, and a backup brings back neither him nor an object that was erased.
func TestErase(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	rules, data := filepath.Join(other, "rules"), filepath.Join(dir, "data")
	if err := os.WriteFile(rules, []byte(eraseRules), 0o600); err != nil {
		t.Fatal(err)
	}
	ada, backend := writeFile(t, "ada-ada-ada-ada-ada"), "backend-backend-1"
	const object = "0b1ec700-0000-4000-8000-000000000001"
	serve := []string{"--data", data, "--auth", "rules", "--rules", rules, "--checkpoints", "400"}
	server, url := start(t, serve...)
	must := func(out, errs string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err, errs)
		}
		return out
	}
	make := `{"op":"create","object":"` + object + `","type":"note","fields":{"text":"canary-secret-words"}}` + "\n"
	must(run(make+strings.Repeat(`{"op":"update","object":"`+object+`","set":{"text":"canary-other-words"}}`+"\n", 20), "append", url, "shared/notes", "--token", ada))
	must(run(make, "append", url, "user/secret:canary-ada/own", "--token", ada))
	request := func(method, path, token, body string) (int, string) {
		t.Helper()
		req, err := http.NewRequest(method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "text/plain")
		for name, value := range map[string]string{"Producer-Id": "p", "Producer-Epoch": "0", "Producer-Seq": "0"} {
			if method == http.MethodPost {
				req.Header.Set(name, value)
			}
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		b.ReadFrom(resp.Body)
		return resp.StatusCode, b.String()
	}
	for _, path := range []string{"/v1/data/shared/room", "/v1/data/user/secret:canary-ada/room"} {
		if status, body := request(http.MethodPut, path, "ada-ada-ada-ada-ada", ""); status != 201 {
			t.Fatal(status, body)
		}
		if status, body := request(http.MethodPost, path, "ada-ada-ada-ada-ada", "words that stay"); status != 200 {
			t.Fatal(status, body)
		}
	}
	backup := filepath.Join(other, "backup")
	must(run("", "backup", backup, "--data", data))
	out := must(run("", "export", data, "--principal", "secret:canary-ada", "--rules", rules))
	kinds := map[string]int{}
	for line := range strings.Lines(out) {
		var one map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &one); err != nil || len(one) != 1 {
			t.Fatalf("%v: %s", err, line)
		}
		for kind := range one {
			kinds[kind]++
		}
	}
	if kinds["log"] != 2 || kinds["entry"] != 22 || kinds["data"] != 2 || kinds["item"] != 2 {
		t.Errorf("%v", kinds)
	}

	said := must(run("", "erase", "--principal", "secret:canary-ada", "--data", data))
	if !strings.HasPrefix(said, "2 streams of its own were deleted") {
		t.Error(said)
	}
	if status, body := request(http.MethodGet, "/v1/log?stream=shared/notes", backend, ""); status != 200 || strings.Contains(body, "canary-ada") || !strings.Contains(body, `"head":21`) {
		t.Errorf("%d %.300s", status, body)
	}
	if status, body := request(http.MethodGet, "/v1/log?stream=user/secret:canary-ada/own", backend, ""); status != 200 || !strings.Contains(body, `"head":0`) {
		t.Errorf("%d %s", status, body)
	}
	if status, body := request(http.MethodGet, "/v1/data/shared/room", backend, ""); status != 200 || body != "words that stay" {
		t.Errorf("%d %s", status, body)
	}
	said = must(run("", "erase", "--object", "shared/notes", object, "--data", data))
	if !strings.Contains(said, "gone") {
		t.Error(said)
	}
	if status, body := request(http.MethodGet, "/v1/log?stream=shared/notes&after=22", backend, ""); status != 200 || !strings.Contains(body, `"head":23`) {
		t.Errorf("%d %s", status, body)
	}
	server.Process.Signal(syscall.SIGTERM)
	if err := server.Wait(); err != nil {
		t.Fatal(err)
	}
	gone := func() {
		t.Helper()
		for _, what := range []string{"canary-ada", "canary-secret-words", "canary-other-words"} {
			if files := holds(t, dir, what); len(files) > 0 {
				t.Errorf("%s is in %v", what, files)
			}
		}
		if out := must(run("", "check", "--data", data)); !strings.Contains(out, "is whole") {
			t.Error(out)
		}
	}
	gone()
	must(run("", "restore", backup, "--data", data))
	gone()
	server, url = start(t, serve...)
	if status, body := request(http.MethodGet, "/v1/log?stream=shared/notes&after=22", backend, ""); status != 200 || !strings.Contains(body, `"head":23`) {
		t.Errorf("%d %s", status, body)
	}
	server.Process.Kill()
	server.Wait()
	must(run("", "restore", backup, "--data", data, "--keep-deleted"))
	if len(holds(t, dir, "canary-ada")) == 0 {
		t.Error("nothing was brought back though it was to be")
	}
	// Without a server, and with the socket of one that was killed.
	must(run("", "erase", "--principal", "secret:canary-ada", "--data", data, "--rules", rules))
	must(run("", "erase", "--object", "shared/notes", object, "--data", data))
	gone()
	acts, err := os.ReadFile(filepath.Join(data, auditFile))
	if err != nil || strings.Count(string(acts), `"act":"erase"`) != 4 || strings.Count(string(acts), `"act":"restore"`) != 2 || strings.Count(string(acts), `"act":"backup"`) != 1 || strings.Count(string(acts), `"act":"export"`) != 1 {
		t.Errorf("%s, %v", acts, err)
	}
	if said := must(run("", "erase", "--principal", "nobody-here", "--keep-streams", "--data", data)); !strings.Contains(said, "nothing that is kept here") {
		t.Error(said)
	}
	for _, args := range [][]string{{}, {"--principal", "a"}, {"--principal", "a", "--object", "b", "c"}, {"--object", "s"}, {"--object", "s", "x"}, {"--object", "", object}, {"--principal", "a", "b"}, {"--object", "nothing/here", object}} {
		if _, errs, err := run("", append([]string{"erase", "--data", data}, args...)...); err == nil || strings.Contains(errs, "panic") {
			t.Errorf("%v: %v %s", args, err, errs)
		}
	}
	if _, _, err := run("", "erase", "--principal", "a", "--data", filepath.Join(dir, "nothing")); err == nil {
		t.Error("a directory that is not there is erased from")
	}
}
