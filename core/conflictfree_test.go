package core

import (
	"fmt"
	"strings"
	"testing"
)

// nopObserver hears, and does nothing.
type nopObserver struct{}

func (nopObserver) Committed(uint64)                     {}
func (nopObserver) Failed([]uint64, error)               {}
func (nopObserver) Resolved(uint64, UUID, uint64, error) {}
func (nopObserver) Refused(uint64, Rejected)             {}
func (nopObserver) Conflict(*Conflict)                   {}
func (nopObserver) Changed(bool)                         {}
func (nopObserver) StatusChanged()                       {}
func (nopObserver) Closed(error)                         {}

// cfStream is a stream in conflict-free mode that nothing is sent for.
func cfStream(t *testing.T) (*replicaWorld, *Stream) {
	w := newReplicaWorld(t)
	w.r.log.conflictFree = true
	s := &Stream{Replica: w.r, observer: nopObserver{}, db: &DB{host: &nowHost{now: 1e12}, idle: 60000}}
	return w, s
}

// sentDrain makes an object and sends it, with a drain.
func sentDrain(t *testing.T, w *replicaWorld, s *Stream) SyncItem {
	t.Helper()
	s.status.State, s.status.LastSynced = StateLive, 1e12
	if _, err := s.Write(&Draft{ID: w.id(), Ops: fmt.Sprintf(`[{"op":"create","object":"%s","type":"t","fields":{"n":0}}]`, X)}); err != nil {
		t.Fatal(err)
	}
	w.commit()
	it := s.ask(100, 1<<20, nil)
	s.drainSent()
	return it
}

func TestAGuardOfOnesOwnIsNoWayAround(t *testing.T) {
	w, s := cfStream(t)
	w.other(1, 0, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{"n":0}}`, X))
	s.status.State = StateOffline
	up := fmt.Sprintf(`[{"op":"update","object":"%s","set":{"n":1}}]`, X)
	_, err := s.Write(&Draft{ID: w.id(), Ops: up, Atomic: true, Guards: fmt.Sprintf(`[{"object":"%s","unchanged":true}]`, X)})
	if CodeOf(err) != CodeReadOnly {
		t.Error("queued offline:", err, len(s.uncommitted))
	}
}

func TestARetryIsReadOnlyOfflineToo(t *testing.T) {
	w, s := cfStream(t)
	w.other(1, 0, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{"n":0}}`, X))
	s.status.State, s.status.LastSynced = StateLive, 1e12
	T := w.id()
	if _, err := s.Write(&Draft{ID: T, Ops: fmt.Sprintf(`[{"op":"update","object":"%s","set":{"n":1}}]`, X)}); err != nil {
		t.Fatal(err)
	}
	w.commit()
	w.refuse(T)
	s.status.State = StateOffline
	d := &Draft{}
	if err := s.Retry(d, T, ""); err != nil {
		t.Fatal(err)
	}
	d.ID = w.id()
	if _, err := s.Write(d); CodeOf(err) != CodeReadOnly || len(s.uncommitted) > 0 || len(s.RejectedList()) != 1 {
		t.Error(err)
	}
}

func TestADrainThatWasNotLookedAtEndsNoLock(t *testing.T) {
	w, s := cfStream(t)
	it := sentDrain(t, w, s)
	s.db.failed(fail(CodeUnauthorized, "", "no"), []SyncItem{it}, map[string]*Stream{"s": s})
	s.status.State = StateHeld
	if s.Writable(X) != WritableYes {
		t.Error("own new object, drain known to have taken nothing:", s.Writable(X), it.Drain)
	}
}

func TestADrainWhoseOutcomeIsToComeIsNotForgotten(t *testing.T) {
	w, s := cfStream(t)
	it := sentDrain(t, w, s)
	s.db.failed(fail(CodeUnreachable, "", "no"), []SyncItem{it}, map[string]*Stream{"s": s})
	s.status.State = StateOffline
	// the next answer brings entries, but not yet as far as our own and the unlock; then the network dies again
	it2 := s.ask(100, 1<<20, nil)
	it2.Drain = false
	s.unsure = 0
	s.drainAnswered(&it2, &SyncAnswer{Entries: make([]WireEntry, 1), Head: 2000})
	if s.Writable(X) != WritableOffline {
		t.Error("free to write although its lock may have ended:", s.Writable(X))
	}
}

func TestAStepWithTooManyGuardsIsPassedOver(t *testing.T) {
	w, s := cfStream(t)
	s.status.State, s.status.LastSynced = StateLive, 1e12
	var ops []string
	for i := range 150 {
		ops = append(ops, fmt.Sprintf(`{"op":"create","object":"%s","type":"t","fields":{}}`, UUID{0: 5, 15: byte(i)}))
	}
	if _, err := s.Write(&Draft{ID: w.id(), Ops: "[" + strings.Join(ops, ",") + "]", Atomic: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Undo(&Draft{}); CodeOf(err) != CodeNothingToUndo {
		t.Error(err)
	}
}
