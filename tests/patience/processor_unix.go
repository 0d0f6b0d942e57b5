//go:build unix

package patience

import (
	"time"

	"golang.org/x/sys/unix"
)

// onProcessor is how long this thread has had a processor.
func onProcessor() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return time.Duration(time.Now().UnixNano()) // then the clock on the wall has to do
	}
	return time.Duration(t.Nano())
}
