package replica

import (
	"fmt"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
)

// cfWorld is a replica in conflict-free mode.
func cfWorld(t *testing.T) *replicaWorld {
	w := newReplicaWorld(t)
	w.r.log.ConflictFree = true
	return w
}

// tries writes while the server is in reach, or not.
func (w *replicaWorld) tries(d *queue.Draft, reached bool) error {
	w.t.Helper()
	d.ID = w.id()
	return w.r.Write(d, uint64(w.n), reached)
}

// sentDrain makes an object and sends it, with a drain.
func sentDrain(t *testing.T, w *replicaWorld) protocol.SyncItem {
	t.Helper()
	if err := w.tries(&queue.Draft{Ops: fmt.Sprintf(`[{"op":"create","object":"%s","type":"t","fields":{"n":0}}]`, X)}, true); err != nil {
		t.Fatal(err)
	}
	w.commit()
	it := w.r.Ask(100, 1<<20, nil, true)
	w.r.DrainSent()
	return it
}

func TestAGuardOfOnesOwnIsNoWayAround(t *testing.T) {
	w := cfWorld(t)
	w.other(1, 0, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{"n":0}}`, X))
	up := fmt.Sprintf(`[{"op":"update","object":"%s","set":{"n":1}}]`, X)
	err := w.tries(&queue.Draft{Ops: up, Atomic: true, Guards: fmt.Sprintf(`[{"object":"%s","unchanged":true}]`, X)}, false)
	if action.CodeOf(err) != action.CodeReadOnly {
		t.Error("queued offline:", err, len(w.r.q.Uncommitted))
	}
}

func TestARetryIsReadOnlyOfflineToo(t *testing.T) {
	w := cfWorld(t)
	w.other(1, 0, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{"n":0}}`, X))
	d := &queue.Draft{Ops: fmt.Sprintf(`[{"op":"update","object":"%s","set":{"n":1}}]`, X)}
	if err := w.tries(d, true); err != nil {
		t.Fatal(err)
	}
	w.commit()
	w.refuse(d.ID)
	again := &queue.Draft{}
	if err := w.r.Retry(again, d.ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := w.tries(again, false); action.CodeOf(err) != action.CodeReadOnly || len(w.r.q.Uncommitted) > 0 || len(w.r.RejectedList()) != 1 {
		t.Error(err)
	}
}

func TestADrainThatWasNotLookedAtEndsNoLock(t *testing.T) {
	w := cfWorld(t)
	it := sentDrain(t, w)
	w.r.ForgetDrain()
	if w.r.Writable(X, false) != WritableYes {
		t.Error("own new object, drain known to have taken nothing:", w.r.Writable(X, false), it.Drain)
	}
}

func TestADrainWhoseOutcomeIsToComeIsNotForgotten(t *testing.T) {
	w := cfWorld(t)
	sentDrain(t, w)
	// the next answer brings entries, but not yet as far as our own and the unlock; then the network dies again
	it := w.r.Ask(100, 1<<20, nil, true)
	it.Drain = false
	w.r.DrainAnswered(&it, &protocol.SyncAnswer{Entries: make([]protocol.WireEntry, 1), Head: 2000})
	if w.r.Writable(X, false) != WritableOffline {
		t.Error("free to write although its lock may have ended:", w.r.Writable(X, false))
	}
}

// An answer that had no room for the stream has not looked at the drain: it has ended no lock.
func TestADrainThatFoundNoRoomEndsNoLock(t *testing.T) {
	w := cfWorld(t)
	it := sentDrain(t, w)
	it.Actions = nil // a drain alone
	w.r.DrainAnswered(&it, &protocol.SyncAnswer{Head: it.After + 5})
	if w.r.Writable(X, false) != WritableYes {
		t.Error("the own new object counts as drained:", w.r.Writable(X, false))
	}
}

func TestAStepWithTooManyGuardsIsAnError(t *testing.T) {
	w := cfWorld(t)
	var ops []string
	for i := range 150 {
		ops = append(ops, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{}}`, action.UUID{0: 5, 15: byte(i)}))
	}
	if err := w.tries(&queue.Draft{Ops: "[" + strings.Join(ops, ",") + "]", Atomic: true}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.r.Undo(&queue.Draft{}); action.CodeOf(err) != action.CodeTooLarge {
		t.Error(err)
	}
}
