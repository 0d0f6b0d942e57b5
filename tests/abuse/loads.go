package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// load is what somebody does to the server, on so many connections.
type load struct {
	name        string
	connections int
	prepare     func(*server) error
	run         func(ctx context.Context, s *server)
}

func nothing(*server) error { return nil }

func zip(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// zstdHead is the head of a frame with a window of 16 MiB, and a first block that is announced, and does not come.
var zstdHead = append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x70, 0x00, 0x08, 0x00}, bytes.Repeat([]byte{0}, 109)...)

var loads = []load{
	{"nothing", 0, nothing, nil},
	{"S1: unions with a long array", 4, func(s *server) error {
		var all []string
		for i := range 9900 {
			all = append(all, fmt.Sprintf(`"%089d"`, i))
		}
		w := newWriter(s.url, "unions")
		for i := range 10 { // an op has 1,000 values at most
			part := all[i*990 : (i+1)*990]
			op := fmt.Sprintf(`[{"op":"update","object":"%s","union":{"a":[%s]}}]`, object(1), strings.Join(part, ","))
			if i == 0 {
				op = create(1, `{"a":[`+strings.Join(part, ",")+`]}`)
			}
			if err := w.append(context.Background(), op); err != nil {
				return err
			}
		}
		return nil
	}, func(ctx context.Context, s *server) {
		w := newWriter(s.url, "unions")
		union := fmt.Sprintf(`{"op":"update","object":"%s","union":{"a":["x"]}}`, object(1))
		action := "[" + strings.Repeat(union+",", 16) + union + "]"
		for ctx.Err() == nil {
			var actions []string
			for range 100 {
				actions = append(actions, action)
			}
			w.append(ctx, actions...)
		}
	}},
	{"S2: 60 connections that take turns", 60, nothing, func(ctx context.Context, s *server) {
		for ctx.Err() == nil {
			w := newWriter(s.url, "contended")
			for n := range 8 {
				w.append(ctx, create(int(clients.Add(1)), fmt.Sprintf(`{"n":%d}`, n)))
			}
		}
	}},
	{"S7: 400 gzip bodies of 4 MB", 400, nothing, func(ctx context.Context, s *server) {
		body, client := zip(append(append([]byte(`{"streams":[`), bytes.Repeat([]byte(" "), 4_000_000)...), `]}`...)), &http.Client{Transport: &http.Transport{}}
		for ctx.Err() == nil {
			post(ctx, client, s.url+"/v1/sync", "application/json", "gzip", body)
		}
	}},
	{"S7: 150 slow readers of a checkpoint", 150, func(s *server) error {
		w := newWriter(s.url, "large")
		for i := range 40 {
			var all []string
			for n := range 20 {
				all = append(all, create(i*20+n, fmt.Sprintf(`{"text":"%s"}`, noise(i*20+n, 10_000))))
			}
			if err := w.append(context.Background(), all...); err != nil {
				return err
			}
		}
		return nil
	}, func(ctx context.Context, s *server) {
		for ctx.Err() == nil {
			readSlowly(ctx, s, s.url+checkpointOf(s, "large"))
		}
	}},
	{"S8: 50 connections with bodies of 10,000 zeros", 50, func(s *server) error {
		req, _ := http.NewRequest(http.MethodPut, s.url+"/v1/data/zeros", nil)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return err
	}, func(ctx context.Context, s *server) {
		body, client := []byte("["+strings.Repeat("0,", 9999)+"0]"), &http.Client{Transport: &http.Transport{}}
		for ctx.Err() == nil {
			post(ctx, client, s.url+"/v1/data/zeros", "application/json", "", body)
		}
	}},
	{"S9: 16 lists of 20,000 streams", 16, func(s *server) error {
		for i := range 200 {
			var items []string
			for n := range 100 {
				id := fmt.Sprintf("00000000-0000-4000-8000-%012d", clients.Add(1))
				items = append(items, fmt.Sprintf(`{"stream":"many/%d","client":"%s","after":0,"actions":[{"at":"2026-11-22T20:00:00.000Z","base":0,"client":"%[2]s","id":"%[2]s","ops":%s,"seq":1}]}`, i*100+n, id, create(1, "{}")))
			}
			post(context.Background(), http.DefaultClient, s.url+"/v1/sync", "application/json", "", []byte(`{"streams":[`+strings.Join(items, ",")+`]}`))
		}
		return nil
	}, func(ctx context.Context, s *server) {
		client, after := &http.Client{Transport: &http.Transport{}}, ""
		for ctx.Err() == nil {
			resp, err := client.Get(s.url + "/v1/streams" + after)
			if err != nil {
				return
			}
			b, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			_, rest, more := strings.Cut(string(b), `"next":"`)
			if after = ""; more {
				after = "?after=" + rest[:strings.Index(rest, `"`)]
			}
		}
	}},
	{"S16: 100 stalled frames of Zstandard", 100, nothing, func(ctx context.Context, s *server) {
		for ctx.Err() == nil {
			raw(ctx, s.url, "POST /v1/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: zstd\r\nContent-Length: 1000\r\n\r\n", zstdHead)
		}
	}},
	{"S16: 200 stalled bodies of gzip", 200, nothing, func(ctx context.Context, s *server) {
		for ctx.Err() == nil {
			raw(ctx, s.url, "POST /v1/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 5000\r\n\r\n", zip(bytes.Repeat([]byte(" "), 3_900_000))[:3000])
		}
	}},
	{"S17: 60 slow readers of 22 MiB", 60, func(s *server) error {
		for i := range 100 {
			w := newWriter(s.url, fmt.Sprintf("entry/%d", i))
			if err := w.append(context.Background(), create(1, fmt.Sprintf(`{"text":"%s"}`, noise(i, 220_000)))); err != nil {
				return err
			}
		}
		return nil
	}, func(ctx context.Context, s *server) {
		var items []string
		for i := range 100 {
			items = append(items, fmt.Sprintf(`{"stream":"entry/%d","client":"00000000-0000-4000-8000-00000000f00d","after":0}`, i))
		}
		body := `{"streams":[` + strings.Join(items, ",") + `]}`
		for ctx.Err() == nil {
			sendSlowly(ctx, s, fmt.Sprintf("POST /v1/sync HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}
	}},
	{"S18: requests for 100 streams each", 8, nothing, func(ctx context.Context, s *server) {
		client, n := &http.Client{Transport: &http.Transport{}}, clients.Add(1000)
		for ctx.Err() == nil {
			var items []string
			for i := range 100 {
				n++
				id := fmt.Sprintf("00000000-0000-4000-8000-%012d", clients.Add(1))
				items = append(items, fmt.Sprintf(`{"stream":"wide/%d/%d","client":"%s","after":0,"actions":[{"at":"2026-11-22T20:00:00.000Z","base":0,"client":"%[3]s","id":"%[3]s","ops":%s,"seq":1}]}`, n, i, id, create(1, "{}")))
			}
			post(ctx, client, s.url+"/v1/sync", "application/json", "", []byte(`{"streams":[`+strings.Join(items, ",")+`]}`))
		}
	}},
	{"S21: 3.9 MB of empty arrays", 8, nothing, func(ctx context.Context, s *server) {
		body := zip([]byte(`{"streams":[{"stream":"s","client":"00000000-0000-4000-8000-00000000f00d","after":0,"actions":[` + strings.Repeat("[],", 1_300_000) + `[]]}]}`))
		client := &http.Client{Transport: &http.Transport{}}
		for ctx.Err() == nil {
			post(ctx, client, s.url+"/v1/sync", "application/json", "gzip", body)
		}
	}},
	{"S23: states of many megabytes", 4, nothing, func(ctx context.Context, s *server) {
		w := newWriter(s.url, fmt.Sprintf("huge/%d", clients.Add(1)))
		text := noise(1, 250_000)
		for n := 0; ctx.Err() == nil; n++ {
			w.append(ctx, create(n, `{"text":"`+text+`"}`))
		}
	}},
}

// noise is text that no packing makes much smaller.
func noise(seed, n int) string {
	b, x := make([]byte, n), uint64(seed)*2862933555777941757+3037000493
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[x>>58]
	}
	return string(b)
}

func checkpointOf(s *server, stream string) string {
	resp, err := http.Post(s.url+"/v1/sync", "application/json", strings.NewReader(`{"streams":[{"stream":"`+stream+`","client":"00000000-0000-4000-8000-00000000f00d","after":0,"limit":1}]}`))
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	_, rest, found := strings.Cut(string(b), `"url":"`)
	if !found {
		return "/v1/checkpoint"
	}
	return rest[:strings.Index(rest, `"`)]
}

func readSlowly(ctx context.Context, s *server, url string) {
	sendSlowly(ctx, s, "GET "+strings.TrimPrefix(url, s.url)+" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
}

// sendSlowly sends a request, and reads a kilobyte of its answer a second.
func sendSlowly(ctx context.Context, s *server, request string) {
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		time.Sleep(100 * time.Millisecond)
		return
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	c.(*net.TCPConn).SetReadBuffer(4096)
	if _, err := io.WriteString(c, request); err != nil {
		return
	}
	for b := make([]byte, 1024); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
	}
}
