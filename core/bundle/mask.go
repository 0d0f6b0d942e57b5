package bundle

import (
	"strings"
	"unsafe"

	"github.com/strandline-sync/strandline/core/action"
	"github.com/strandline-sync/strandline/core/locallog"
	"github.com/strandline-sync/strandline/core/own"
	"github.com/strandline-sync/strandline/core/record"
	"github.com/strandline-sync/strandline/core/replica"
	"github.com/strandline-sync/strandline/core/state"
	"github.com/strandline-sync/strandline/core/undo"
)

// Mask puts random letters in the place of what people have written, as many: strings in values, and who they are. Equal ones get the
// same letters and others get others, so that what is masked folds as what is not. Numbers, true, false and null stay, and so do the
// names of streams, types and keys. A nil Mask changes nothing.
type Mask struct {
	random func() uint64
	of     map[string]string
	taken  map[string]bool
}

// NewMask makes one of numbers that nobody can guess.
func NewMask(random func() uint64) *Mask {
	return &Mask{random: random, of: map[string]string{}, taken: map[string]bool{}}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_" // 64

// more are those that JSON has as they are, for texts of one letter: there are few of those.
const more = " !#$%&'()*+,./:;<=>?@[]^`{|}~"

// word is what stands for a string. Of a few bytes there may be more than there are letters for: then some are alike.
func (m *Mask) word(s string) string {
	if w, ok := m.of[s]; ok || s == "" {
		return w
	}
	w, letters := "", letters
	if len(s) == 1 {
		letters += more
	}
	for tries := 0; tries == 0 || m.taken[w] && tries < 5000; tries++ {
		b := make([]byte, len(s))
		for i, bits := 0, uint64(0); i < len(b); i++ {
			if i%8 == 0 {
				bits = m.random()
			}
			b[i] = letters[int(bits>>(8*(i%8))&255)%len(letters)]
		}
		w = string(b)
	}
	m.of[s], m.taken[w] = w, true
	return w
}

// Masked is what stands for a JSON value.
func (m *Mask) Masked(json string) string {
	b := []byte(json)
	m.over(b)
	return string(b)
}

// over masks the strings of a JSON text, but for names of members.
func (m *Mask) over(b []byte) {
	for i := 0; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(b) && b[end] != '"' {
			if b[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(b) {
			return // no value at all
		}
		if end+1 == len(b) || b[end+1] != ':' {
			copy(b[i+1:end], m.word(string(b[i+1:end])))
		}
		i = end
	}
}

// in is the bytes of what is a view of some: those are a copy that nobody else has.
func in(view string) []byte { return unsafe.Slice(unsafe.StringData(view), len(view)) }

// Value, Text and Action implement replica.Texts over such views.
func (m *Mask) Value(json string) { m.over(in(json)) }

func (m *Mask) Text(plain string) { copy(in(plain), m.word(strings.Clone(plain))) }

func (m *Mask) Action(a *action.Action) {
	for i := range a.Ops {
		for _, ch := range a.Ops[i].Changes {
			m.Value(ch.Value)
		}
	}
	for i := range a.Guards {
		m.Value(a.Guards[i].Value)
	}
	if action.ParseStamp(a.At) == 0 { // no time
		m.Text(a.At)
	}
	if a.Meta != "" && !ours(a.Meta) {
		m.Value(a.Meta)
	}
}

// Remains masks all that a store has. What cannot be read cannot be masked, and is left out.
func (m *Mask) Remains(r *locallog.Remains) {
	base, err := locallog.DecodeManifest(r.Manifest)
	if err != nil {
		base = r.Guessed()
	}
	for i := range r.Records {
		r.Records[i].Bytes = m.sealed(r.Records[i].Bytes, m.record)
	}
	m.rest(r, base)
	for i := range r.Pages {
		page := &r.Pages[i]
		switch {
		case base.Rests(page.Name):
		case locallog.IsBehind(page.Name):
			page.Bytes = m.sealed(page.Bytes, func(b []byte) error { return own.KeptIn(b, m.Action) })
		default:
			page.Bytes = m.sealed(page.Bytes, m.page)
		}
	}
	r.Spare = m.sealed(r.Spare, func(b []byte) error { return replica.SpareTexts(b, m) })
}

// sealed is a masked copy; nil where it cannot be read.
func (m *Mask) sealed(b []byte, mask func([]byte) error) []byte {
	b = append([]byte(nil), b...)
	if len(b) < locallog.HeaderBytes || mask(b) != nil {
		return nil
	}
	return locallog.Seal(b)
}

func (m *Mask) record(b []byte) error {
	r, err := record.Decode(b)
	if err != nil {
		return err
	}
	m.Text(r.Init.User)
	for i := range r.Actions {
		m.Action(&r.Actions[i])
	}
	for i := range r.Turn.Entries {
		m.Text(r.Turn.Entries[i].By)
		m.Action(&r.Turn.Entries[i].Action)
	}
	for i := range r.Turn.Rejected {
		m.Text(r.Turn.Rejected[i].Message)
	}
	return nil
}

func (m *Mask) page(b []byte) error {
	d, err := locallog.Open(b, locallog.KindPage)
	s := state.NewState()
	if err == nil {
		err = s.ReadPage(d)
	}
	if err != nil {
		return err
	}
	for o := range s.Objects() {
		for _, value := range o.Fields() {
			m.Value(value)
		}
	}
	return nil
}

// rest masks the rest, which may stand in several pages.
func (m *Mask) rest(r *locallog.Remains, base *locallog.Manifest) {
	var all []byte
	for _, name := range base.Rest {
		b, _ := r.Page(name)
		all = append(all, b...)
	}
	masked := m.sealed(all, func(b []byte) error { return replica.RestTexts(b, base, m) })
	for _, name := range base.Rest {
		for i := range r.Pages {
			if page := &r.Pages[i]; page.Name == name {
				n := min(len(page.Bytes), len(masked))
				page.Bytes, masked = masked[:n:n], masked[n:]
			}
		}
	}
}

// ours tells whether a meta is no app's.
func ours(meta string) bool { return undo.Target(meta) != action.Nil || undo.Group(meta) != action.Nil }
