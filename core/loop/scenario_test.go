package loop

import (
	"cmp"
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/locallog/memstore"
	"github.com/strandline-sync/strandline/core/plan"
	"github.com/strandline-sync/strandline/core/protocol"
	"github.com/strandline-sync/strandline/core/queue"
	"github.com/strandline-sync/strandline/core/replica"
)

//go:embed testdata/*.txt
var stories embed.FS

var rewrite = flag.Bool("rewrite", false, "write what happens into the scenarios")

// Each file of testdata is a story: what happens to a database, and the plan that follows, in the order in which it is carried out.
// go test ./core/loop -rewrite writes the plans.
func TestScenarios(t *testing.T) {
	files, err := fs.Glob(stories, "testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(path.Base(file), ".txt"), func(t *testing.T) {
			text, err := stories.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("%s is another story now: go test ./core/loop -rewrite\n%s", file, got)
			}
		})
	}
}

// story is a database and the world around it, in which nothing happens by itself.
type story struct {
	t     *testing.T
	db    *DB
	now   int64
	ids   byte
	local *memstore.Database
	store [2]locallog.Store
	does  map[plan.Op]plan.Access
	asks  map[plan.Op]plan.Request
	names map[plan.StreamID]string
	out   strings.Builder
}

func (s *story) Now() int64 { return 1_767_225_600_000 + s.now }
func (s *story) NewID() action.UUID {
	s.ids++
	return action.UUID{0: 1, 15: s.ids}
}
func (s *story) NewClient() action.UUID { return action.UUID{0: 2, 15: 1} }
func (s *story) Random() float64        { return 0.5 }

// tell plays a story: paragraphs of one command each, ---- and what follows.
func tell(t *testing.T, text string) string {
	s := &story{t: t, local: memstore.New(), does: map[plan.Op]plan.Access{}, asks: map[plan.Op]plan.Request{}, names: map[plan.StreamID]string{}}
	s.store = [2]locallog.Store{s.local.Open(), memstore.New().Open()}
	var all strings.Builder
	for i, part := range regexp.MustCompile("\n\n+").Split(strings.TrimSpace(text), -1) {
		if i > 0 {
			all.WriteString("\n\n")
		}
		command, _, told := strings.Cut(part, "\n----")
		all.WriteString(command)
		if !told {
			continue // a comment
		}
		s.out.Reset()
		s.play(strings.Fields(command))
		all.WriteString("\n----\n")
		all.WriteString(cmp.Or(strings.TrimRight(strings.ReplaceAll(s.out.String(), " \n", "\n"), "\n"), "nothing"))
	}
	return strings.TrimRight(all.String(), "\n") + "\n"
}

func (s *story) draft() *queue.Draft {
	return &queue.Draft{ID: s.NewID(), At: s.Now(), Ops: fmt.Sprintf(`[{"op":"create","object":"%s","type":"todo","fields":{}}]`, s.NewID())}
}

func (s *story) op(text string) plan.Op {
	n, err := strconv.Atoi(text)
	if err != nil {
		s.t.Fatal(err)
	}
	return plan.Op(n)
}

func (s *story) play(words []string) {
	s.t.Helper()
	switch rest := words[1:]; words[0] {
	case "database":
		c := Config{Sources: s, Shared: true, Slots: true, Refuge: true}
		for _, w := range rest {
			switch w {
			case "follower":
				c.Elect = true
			case "alone":
				c.Alone = true
			}
		}
		s.db = New(c)
	case "open":
		s.step(&plan.Open{Name: rest[0], Call: 1})
	case "write": // one object, made
		ticket, err := s.db.Stream(rest[0]).Write(s.draft())
		fmt.Fprintln(&s.out, "ticket", ticket, said(err))
	case "wrote":
		s.step(&plan.Wrote{})
	case "done": // the store does what it was asked
		a, asked := s.does[s.op(rest[0])]
		if !asked {
			fmt.Fprintln(&s.out, "nothing was asked by op", rest[0])
			return
		}
		s.step(a.Run(s.store[a.Store]))
	case "fails", "done-and-fails": // an access, and nobody knows whether it was done
		a := s.does[s.op(rest[0])]
		if words[0] == "done-and-fails" {
			a.Run(s.store[a.Store])
		}
		err := action.Fail(rest[1], "", "")
		switch a.Kind {
		case plan.Load:
			s.step(&plan.Loaded{Op: a.Op, Err: err})
		case plan.ListStreams:
			s.step(&plan.Listed{Op: a.Op, Err: err})
		default:
			s.step(&plan.Stored{Op: a.Op, Err: err})
		}
	case "another-tab-writes":
		log, err := s.store[0].Load(s.t.Context(), rest[0], 0)
		if err != nil {
			s.t.Fatal(err)
		}
		r, err := replica.Read(rest[0], 0, &log, nil)
		if err == nil {
			err = r.Write(s.draft(), 1, true)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		record, _, _ := r.CommitRecord()
		fmt.Fprintln(&s.out, "it has", said(s.local.Open().Append(s.t.Context(), rest[0], r.NextLSN(), record)))
	case "taken-away":
		fmt.Fprintln(&s.out, "it is", said(s.local.Open().Destroy(s.t.Context(), nil)))
	case "answer": // op, then the streams' answers as JSON
		s.step(&plan.Answered{Op: s.op(rest[0]), Body: []byte(`{"streams":[` + strings.Join(rest[1:], " ") + `]}`)})
	case "takes": // op: the server takes all that is offered to its one stream
		op := s.op(rest[0])
		if s.asks[op].Body == nil {
			fmt.Fprintln(&s.out, "nothing was asked by op", op)
			return
		}
		items, _, err := protocol.DecodeSyncRequest(string(s.asks[op].Body))
		if err != nil {
			s.t.Fatal(err)
		}
		it := &items[0]
		answer, chain := fmt.Sprintf(`{"stream":"%s","epoch":"%s","head":%d,"persisted":[`, it.Stream, action.UUID{15: 9}, it.After+uint64(len(it.Offers))), it.Chain
		for i, o := range it.Offers {
			if chain = chain.Next(o.Raw); i > 0 {
				answer += ","
			}
			answer += fmt.Sprintf(`{"id":"%s","index":%d}`, o.ID, it.After+uint64(i)+1)
		}
		s.step(&plan.Answered{Op: op, Body: []byte(`{"streams":[` + answer + `],"chain":"` + chain.String() + `"}]}`)})
	case "unanswered": // op, code, and for how many milliseconds the server asks to be left alone
		e := &plan.Answered{Op: s.op(rest[0]), Err: action.Fail(rest[1], "", "")}
		if len(rest) > 2 {
			e.RetryAfter, _ = strconv.ParseInt(rest[2], 10, 64)
		}
		s.step(e)
	case "fired":
		kind := map[string]plan.TimerKind{"turn": plan.TurnTimer, "hints": plan.HintsTimer, "store": plan.StoreTimer}[rest[0]]
		id := plan.TimerID{Kind: kind}
		if kind == plan.StoreTimer {
			id.Stream = 1
		}
		s.step(&plan.Fired{Timer: id})
	case "pass":
		n, err := strconv.ParseInt(rest[0], 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now += n
	case "heard":
		s.step(&plan.Heard{Message: []byte(rest[0] + strings.Join(rest[1:], " "))})
	case "offline":
		s.step(&plan.Offline{})
	case "led":
		s.step(&plan.Led{Leads: rest[0] == "yes"})
	case "granted":
		s.step(&plan.Granted{Stream: 1})
	case "more":
		s.step(&plan.More{})
	case "sync":
		s.step(&plan.Sync{Call: 2})
	case "destroy":
		s.step(&plan.Destroy{Call: 3, Force: len(rest) > 0})
	case "close":
		s.step(&plan.Close{Call: 4})
	case "status":
		st := s.db.Stream(rest[0]).Status()
		fmt.Fprintln(&s.out, st.State, "head", st.Head, "pending", st.Pending, "because", st.Because, said(asError(st.Err)))
	default:
		s.t.Fatalf("nobody knows how to %q", words)
	}
}

func asError(e *action.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return "error " + action.CodeOf(err)
}

// step takes an event and writes down the plan, field by field.
func (s *story) step(e plan.Event) {
	p := s.db.Step(e)
	line := func(format string, args ...any) {
		fmt.Fprintln(&s.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
	for _, c := range p.Changes {
		line("changed: stream %d, by others %v", c.Stream, c.Remote)
	}
	for _, a := range p.Store {
		s.does[a.Op] = a
		where := [...]string{"store", "refuge"}[a.Store]
		switch a.Kind {
		case plan.Load:
			line("%s: op %d, load %s from record %d on", where, a.Op, a.Stream, a.LSN)
		case plan.Append:
			line("%s: op %d, append record %d of %s", where, a.Op, a.LSN, a.Stream)
		case plan.Show:
			line("%s: op %d, what is shown at record %d of %s", where, a.Op, a.Shown[0].LSN, a.Stream)
		case plan.ReadManifest:
			line("%s: op %d, read the manifest of %s", where, a.Op, a.Stream)
		case plan.Replace:
			line("%s: op %d, put a checkpoint in the place of %s up to record %d", where, a.Op, a.Stream, a.Checkpoint.LSN)
		case plan.ListStreams:
			line("%s: op %d, list the streams", where, a.Op)
		case plan.Wipe:
			line("%s: op %d, delete the database, where the next records are %v", where, a.Op, strings.TrimPrefix(fmt.Sprint(a.Next), "map"))
		case plan.Release:
			line("%s: op %d, let go", where, a.Op)
		}
	}
	for _, op := range p.Aborts {
		line("abort: op %d", op)
	}
	for _, r := range p.Requests {
		s.asks[r.Op] = r
		if r.Offer != nil {
			line("request: op %d, the checkpoint of %s at %d", r.Op, r.Stream, r.Offer.Index)
			continue
		}
		items, _, err := protocol.DecodeSyncRequest(string(r.Body))
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range items {
			line("request: op %d, %s after %d, with %d actions", r.Op, items[i].Stream, items[i].After, len(items[i].Offers))
		}
	}
	if p.Listen != nil {
		line("listen: %v", p.Listen.About.Streams)
	}
	for _, t := range p.Timers {
		name := [...]string{"", "turn", "hints", "store", "compact", "look"}[t.ID.Kind]
		if t.At == 0 {
			line("timer: %s, not any more", name)
		} else {
			line("timer: %s, in %d ms", name, t.At-s.Now())
		}
	}
	for _, c := range p.Slots {
		line("slot: %s, wanted %v", c.Name, c.Want)
	}
	for _, m := range p.Tells {
		text := string(m[1:])
		if m[0] == 't' || m[0] == 'f' {
			text = "(the turn)"
		}
		line("tell: %c %s", m[0], text)
	}
	if p.Steal {
		line("steal")
	}
	for _, n := range p.Notices {
		s.notice(n, line)
	}
	if p.More {
		line("more")
	}
}

func (s *story) notice(n plan.Notice, line func(format string, args ...any)) {
	switch n := n.(type) {
	case *plan.Opened:
		line("notice: opened %d %s", n.Stream, said(n.Err))
	case *plan.Done:
		line("notice: done %d %s %s", n.Call, said(n.Err), strings.TrimPrefix(fmt.Sprint(n.Unsent, " unsent"), "0 unsent"))
	case *plan.Committed:
		line("notice: committed up to %d", n.UpTo)
	case *plan.Failed:
		line("notice: failed %v %s", n.Tickets, said(n.Err))
	case *plan.Resolved:
		line("notice: resolved %d at %d %s", n.Ticket, n.Index, said(n.Err))
	case *plan.StatusChanged:
		line("notice: status changed")
	case *plan.Closed:
		line("notice: closed %s", said(n.Err))
	case *plan.Lost:
		line("notice: lost, %d unsent", n.Unsent)
	default:
		line("notice: %T", n)
	}
}
