//go:build soak

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	cycles = flag.Int("cycles", 500, "how often the server is killed")
	from   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments at which it is")
)

// kept is what the server has acknowledged of a stream.
type kept struct {
	head         uint64
	epoch, chain string
	ids          []string // of the actions, by index
}

// A server is killed again and again while it is written to; in between a backup is restored, or a principal is erased, and that is killed in the middle,
// too, and done again. What was acknowledged is there, and what was erased is not.
func TestServerCycles(t *testing.T) {
	random := rand.New(rand.NewPCG(*from, 1))
	t.Logf("seed %d", *from)
	other := t.TempDir()
	dir, rules := filepath.Join(other, "data"), filepath.Join(other, "rules")
	if err := os.WriteFile(rules, []byte(eraseRules), 0o600); err != nil {
		t.Fatal(err)
	}
	serve := []string{"--data", dir, "--auth", "rules", "--rules", rules, "--checkpoints", "20000", "--keep", "50"}
	streams := make([]*kept, 4)
	for i := range streams {
		streams[i] = &kept{}
	}
	told, restores, erasures, n := 0, 0, 0, 0
	for cycle := range *cycles {
		server, url := start(t, serve...)
		client := &http.Client{Timeout: 20 * time.Second}
		for i, k := range streams {
			look(t, client, url, fmt.Sprintf("s/%d", i), k)
		}
		var backup string
		var then []kept
		if cycle%5 == 4 {
			backup = filepath.Join(other, fmt.Sprint("backup", cycle))
			for _, k := range streams {
				then = append(then, kept{k.head, k.epoch, k.chain, append([]string(nil), k.ids...)})
			}
			if _, errs, err := run("", "backup", backup, "--data", dir); err != nil {
				t.Fatal(err, errs)
			}
		}
		var all sync.WaitGroup
		var count sync.Mutex
		for i, k := range streams {
			all.Go(func() {
				for {
					count.Lock()
					n++
					id := n
					count.Unlock()
					if !offer(client, url, fmt.Sprintf("s/%d", i), i, cycle, id, k) {
						return
					}
					count.Lock()
					told++
					count.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(10+random.IntN(80)) * time.Millisecond)
		server.Process.Kill()
		server.Wait()
		all.Wait()
		switch {
		case backup != "":
			restores++
			broken := command("restore", backup, "--data", dir)
			if err := broken.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			broken.Process.Kill()
			broken.Wait()
			if _, errs, err := run("", "restore", backup, "--data", dir); err != nil {
				t.Fatalf("cycle %d: %v %s", cycle, err, errs)
			}
			for i := range streams {
				streams[i] = &then[i]
				streams[i].epoch = "" // another log
			}
			os.Remove(backup)
		case cycle%7 == 6:
			erasures++
			erase := []string{"erase", "--principal", "secret:canary-ada", "--rules", rules, "--data", dir}
			broken := command(erase...)
			if err := broken.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond)
			broken.Process.Kill()
			broken.Wait()
			if _, errs, err := run("", erase...); err != nil {
				t.Fatalf("cycle %d: %v %s", cycle, err, errs)
			}
			if files := holds(t, dir, "canary-ada"); len(files) > 0 {
				t.Fatalf("cycle %d: it stands in %v", cycle, files)
			}
		}
	}
	if out, errs, err := run("", "check", "--data", dir); err != nil {
		t.Error(out, errs)
	}
	t.Logf("%d cycles: %d appends told and all there; %d restores and %d erasures, each killed once before", *cycles, told, restores, erasures)
}

// look checks that all that was told is there, and takes note of what is.
func look(t *testing.T, client *http.Client, url, stream string, k *kept) {
	t.Helper()
	req, _ := http.NewRequest("GET", url+"/v1/log?stream="+stream+"&after=0&limit=1", nil)
	req.Header.Set("Authorization", "Bearer backend-backend-1")
	var a struct {
		Head  uint64
		Epoch string
		Error *struct{ Code string }
	}
	fetched(t, client, req, &a)
	if a.Error != nil || a.Head < uint64(len(k.ids)) || k.epoch != "" && a.Epoch != k.epoch {
		t.Fatalf("%s: %d entries were told, the log has %d; epoch %s, %s", stream, len(k.ids), a.Head, k.epoch, a.Epoch)
	}
	k.epoch = a.Epoch
	from := uint64(0)
	for after := max(1, len(k.ids)) - 1; ; { // the last ones that were told, and what came that was not
		req, _ := http.NewRequest("GET", fmt.Sprintf("%s/v1/log?stream=%s&after=%d&limit=500", url, stream, after), nil)
		req.Header.Set("Authorization", "Bearer backend-backend-1")
		var page struct {
			Head    uint64
			Chain   string
			Entries []struct {
				Index  uint64
				Action struct{ ID string }
			}
		}
		fetched(t, client, req, &page)
		for _, e := range page.Entries {
			if from = e.Index; from <= uint64(len(k.ids)) {
				if k.ids[from-1] != e.Action.ID {
					t.Fatalf("%s: entry %d is %s, and was told to be %s", stream, from, e.Action.ID, k.ids[from-1])
				}
				continue
			}
			k.ids = append(k.ids, e.Action.ID)
		}
		k.chain, k.head = page.Chain, page.Head
		if after += len(page.Entries); uint64(after) >= page.Head || len(page.Entries) == 0 {
			return
		}
	}
}

func fetched(t *testing.T, client *http.Client, req *http.Request, into any) {
	t.Helper()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || json.Unmarshal(body, into) != nil {
		t.Fatalf("%d %s %v", resp.StatusCode, body, err)
	}
}

// offer appends an action, and tells whether it was acknowledged.
func offer(client *http.Client, url, stream string, writer, cycle, n int, k *kept) bool {
	at := `"after":0`
	if k.head > 0 {
		at = fmt.Sprintf(`"after":%d,"epoch":"%s","chain":"%s"`, k.head, k.epoch, k.chain)
	}
	id, who := fmt.Sprintf("ac710000-0000-7000-8000-%012d", n), fmt.Sprintf("00000000-0000-4000-8%03d-%012d", writer, cycle)
	act := fmt.Sprintf(`{"id":"%s","client":"%s","seq":%d,"base":%d,"ops":[{"op":"create","object":"0b1ec700-0000-4000-8000-%012d","type":"t","fields":{"n":%d}}]}`, id, who, n, k.head, n, n)
	req, _ := http.NewRequest("POST", url+"/v1/sync", strings.NewReader(`{"streams":[{"stream":"`+stream+`","client":"`+who+`",`+at+`,"actions":[`+act+`]}]}`))
	req.Header.Set("Content-Type", "application/json")
	token := "backend-backend-1"
	if n%2 == 0 {
		token = "ada-ada-ada-ada-ada"
		req.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(`{"streams":[{"stream":"`+stream+`","client":"`+who+`",`+at+`,"actions":[`+act+`]}]}`, who, who[:19]+"a"+who[20:])))
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var a struct {
		Streams []struct {
			Head         uint64
			Epoch, Chain string
			Persisted    []struct{ ID string }
		}
	}
	if err != nil || json.Unmarshal(body, &a) != nil || len(a.Streams) != 1 || len(a.Streams[0].Persisted) != 1 {
		return false
	}
	s := a.Streams[0]
	k.head, k.epoch, k.chain, k.ids = s.Head, s.Epoch, s.Chain, append(k.ids, id)
	return true
}
