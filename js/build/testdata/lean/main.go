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
	"strings"
	"time"

	"github.com/google/uuid"
)

// say prints by the runtime itself: a page has no files.
func say(what ...any) { print(fmt.Sprintln(what...)) }

func main() {
	print(fmt.Sprintf("%x %x\n", md5.Sum([]byte("a")), sha1.Sum([]byte("a"))))
	say(uuid.NewMD5(uuid.NameSpaceURL, []byte("a")), uuid.NewSHA1(uuid.NameSpaceURL, []byte("a")))

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
	say(len(seen), n, err, even, seen[uuid.Nil.String()])

	at := time.Date(2024, 2, 29, 23, 59, 1, 5000, time.UTC)
	say(at.Format(time.RFC3339), at.Format(time.RFC3339Nano), at.UnixMilli(), at.Add(time.Second).Weekday())
	text, err := at.MarshalJSON()
	say(string(text), err)

	var told strings.Builder
	log.SetOutput(&told)
	log.SetFlags(0)
	log.Println("told", 1, errors.New("so"))
	print(told.String())

	ctx, cancel := context.WithTimeoutCause(context.Background(), time.Millisecond, errors.New("late"))
	defer cancel()
	<-ctx.Done()
	say(ctx.Err(), context.Cause(ctx))
	tick, late := time.NewTimer(time.Hour), time.NewTimer(time.Millisecond)
	<-late.C
	say(tick.Stop(), late.Stop(), tick.Reset(time.Millisecond))
	<-tick.C
}
