package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/strandline-sync/strandline/server"
	"github.com/strandline-sync/strandline/server/engine"
	"github.com/strandline-sync/strandline/server/engine/sqlite"
)

// Durable appends to data streams, to the engine alone and through the whole server: batches of 500 with ids, and single entries of many producers
// at once, which share commits. ns/op is of one entry.
func BenchmarkDataAppend(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 200)
	open := func(b *testing.B) *sqlite.Engine {
		e, err := sqlite.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { e.Close() })
		return e
	}
	for _, batch := range []int{500, 1} {
		b.Run(fmt.Sprintf("batch=%d/engine", batch), func(b *testing.B) {
			e := open(b)
			var streams atomic.Uint64
			b.SetParallelism(map[int]int{500: 1, 1: 32}[batch])
			b.RunParallel(func(pb *testing.PB) {
				d := &engine.DataStream{Name: fmt.Sprint("s", streams.Add(1)), Meta: []byte("{}")}
				if err := e.UpdateData(b.Context(), func(tx engine.DataTx) error { return tx.CreateData(d) }); err != nil {
					b.Error(err)
				}
				for n := 0; pb.Next(); n++ {
					if n%batch != 0 {
						continue
					}
					err := e.UpdateData(b.Context(), func(tx engine.DataTx) error {
						out := make([]engine.DataEntry, batch)
						for i := range out {
							d.Head++
							d.Tail += uint64(len(body))
							out[i] = engine.DataEntry{Index: d.Head, End: d.Tail, Size: int64(len(body)), Body: body}
						}
						if err := tx.AppendData(d.ID, out); err != nil {
							return err
						}
						return tx.PutData(d)
					})
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
		b.Run(fmt.Sprintf("batch=%d/server", batch), func(b *testing.B) {
			s := server.New(server.Config{Engine: open(b), Auth: server.None(), Log: slog.New(slog.DiscardHandler)})
			web := httptest.NewServer(s)
			b.Cleanup(func() { web.Close(); s.Close() })
			client := web.Client()
			client.Transport.(*http.Transport).MaxIdleConnsPerHost = 256
			send := func(method, stream, kind string, body []byte, seq int) {
				req, _ := http.NewRequest(method, web.URL+"/v1/data/"+stream, bytes.NewReader(body))
				req.Header.Set("Content-Type", kind)
				if seq >= 0 {
					req.Header.Set("Producer-Id", "p")
					req.Header.Set("Producer-Epoch", "0")
					req.Header.Set("Producer-Seq", fmt.Sprint(seq))
				}
				resp, err := client.Do(req)
				if err != nil || resp.StatusCode >= 300 {
					b.Errorf("%v %v", err, resp)
					return
				}
				resp.Body.Close()
			}
			var streams atomic.Uint64
			b.SetParallelism(map[int]int{500: 1, 1: 32}[batch])
			b.RunParallel(func(pb *testing.PB) {
				stream := fmt.Sprint("s", streams.Add(1))
				send(http.MethodPut, stream, "application/octet-stream", nil, -1)
				for n := 0; pb.Next(); n++ {
					if n%batch != 0 {
						continue
					}
					var framed []byte
					for i := range batch {
						framed = binary.BigEndian.AppendUint64(framed, uint64(n+i+1))
						framed = binary.BigEndian.AppendUint64(framed, 1)
						framed = append(binary.BigEndian.AppendUint32(framed, uint32(len(body))), body...)
					}
					send(http.MethodPost, stream, "application/vnd.strandline.entries", framed, n/batch)
				}
			})
		})
	}
}
