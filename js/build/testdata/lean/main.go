// Command lean uses what js/build/lean.go replaces, and prints what must be the same without it.
package main

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/google/uuid"
)

func main() {
	fmt.Printf("%x %x\n", md5.Sum([]byte("a")), sha1.Sum([]byte("a")))
	fmt.Println(uuid.NewMD5(uuid.NameSpaceURL, []byte("a")), uuid.NewSHA1(uuid.NameSpaceURL, []byte("a")))

	seen := map[string]bool{}
	for range 1000 {
		seen[uuid.NewString()] = true
	}
	large := make([]byte, 200_000) // more than the browser gives at once
	n, err := rand.Read(large)
	var counts [256]int
	for _, b := range large {
		counts[b]++
	}
	even := true
	for _, n := range counts {
		even = even && n > 500 && n < 1100
	}
	fmt.Println(len(seen), n, err, even, seen[uuid.Nil.String()])

	at := time.Date(2024, 2, 29, 23, 59, 1, 5000, time.UTC)
	fmt.Println(at.Format(time.RFC3339), at.Format(time.RFC3339Nano), at.UnixMilli(), at.Add(time.Second).Weekday())
	text, err := at.MarshalJSON()
	fmt.Println(string(text), err)

	log.SetOutput(os.Stdout)
	log.SetFlags(0)
	log.Println("told", 1, errors.New("so"))

	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, errors.New("late"))
	defer cancel()
	<-ctx.Done()
	fmt.Println(ctx.Err(), context.Cause(ctx))
	tick, late := time.NewTimer(time.Hour), time.NewTimer(time.Millisecond)
	<-late.C
	fmt.Println(tick.Stop(), late.Stop(), tick.Reset(time.Millisecond))
	<-tick.C
}
