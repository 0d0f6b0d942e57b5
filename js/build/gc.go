package main

// A Go program in the browser collects its garbage where nothing else is to do, and until all is marked: the scheduler prefers it to
// going back to JavaScript. A large heap is then one long task. These edits of the runtime's sources end a collector's share of a task
// gcShare nanoseconds after the task began, and go on in the next one. Within a long task only allocation marks: it must also come to
// marking's end there, which Go leaves to the workers (its last thousand bytes of work could be the leave for many times the heap).
// docs/adr/0003-collect-in-steps.md has the figures.
var gcEdits = []edit{
	{"runtime/lock_js.go", `func handleEvent() {
`, `func handleEvent() {
	taskStart = nanotime()
`},
	{"runtime/lock_js.go", `var idleStart int64
`, `var idleStart int64

// taskStart is when JavaScript last called for an event.
var taskStart int64

// gcShareSpent tells whether the collector must leave the rest of the task to others. It must not where a goroutine waits for
// marking to go on: a callback may be that goroutine.
func gcShareSpent() bool { return nanotime()-taskStart > ` + gcShare + ` && work.assistQueue.q.empty() }

// gcWake is when the collector wants to go on at the latest.
func gcWake(now, pollUntil int64) (int64, int64) {
	if now == 0 {
		now = nanotime()
	}
	if wake := now + 1e6; pollUntil == 0 || wake < pollUntil {
		pollUntil = wake
	}
	return now, pollUntil
}
`},
	{"runtime/proc.go", `gcBlackenEnabled != 0 && gcShouldScheduleWorker(pp) && gcController.addIdleMarkWorker()`,
		`gcBlackenEnabled != 0 && gcShouldScheduleWorker(pp) && !gcShareSpent() && gcController.addIdleMarkWorker()`},
	{"runtime/proc.go", `	gp, otherReady := beforeIdle(now, pollUntil)
`, `	if gcBlackenEnabled != 0 && gcShouldScheduleWorker(pp) {
		now, pollUntil = gcWake(now, pollUntil)
	}
	gp, otherReady := beforeIdle(now, pollUntil)
`},
	{"runtime/proc.go", `func pollWork() bool {
`, `func pollWork() bool {
	if gcShareSpent() {
		return true
	}
`},
	{"runtime/mgcpacer.go", `if delta > 0 && float64(pp.gcFractionalMarkTime.Load())/float64(delta) > c.fractionalUtilizationGoal {`,
		`if gcShareSpent() || delta > 0 && float64(pp.gcFractionalMarkTime.Load())/float64(delta) > c.fractionalUtilizationGoal {`},
	{"runtime/mgcpacer.go", `		scanWorkRemaining = 1000
`, `		scanWorkRemaining = gcOverAssistWork
`},
	{"runtime/mgcpacer.go", `	if scanWorkRemaining < 1000 {
`, `	if scanWorkRemaining < gcOverAssistWork {
`},
	{"runtime/mgc.go", `	if delta <= 0 {
		return true
	}
	p := getg()`, `	if delta <= 0 || gcShareSpent() {
		return true
	}
	p := getg()`},
}

// stackEdits let goroutines begin with stackSize bytes: an event, a step and a piece of work each have one, and from 2 KB it is copied three times
// before they are through, for every write. docs/adr/0017-an-append-is-one-crossing.md has the figures.
var stackEdits = []edit{
	{"runtime/stack.go", "var startingStackSize uint32 = fixedStack\n", "var startingStackSize uint32 = " + stackSize + "\n"},
	{"runtime/runtime1.go", "	debug.adaptivestackstart = 1 ", "	debug.adaptivestackstart = 0 "}, // it would be the average, with each collection
	{"runtime/proc.go", "		newg = malg(stackMin)\n", "		newg = malg(int32(startingStackSize))\n"},
}

const stackSize = "16 << 10"

const gcShare = "8e6"
