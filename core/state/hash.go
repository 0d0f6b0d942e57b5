package state

import "github.com/strandline-sync/strandline/core/action"

// Hash is one number for all objects that are here, as they are shown, with their locks and who has written what of them; in any order.
// value, where it is given, says what stands for a value.
func (s *State) Hash(value func(string) string) (hash action.Chain) {
	for slot := range s.objects.n {
		o := s.objects.at(slot)
		if !o.live {
			continue
		}
		shown := *o
		if value != nil {
			shown.fields = append([]field(nil), o.fields...)
			for i := range shown.fields {
				shown.fields[i].value = value(shown.fields[i].value)
			}
		}
		w := newPageWriter(s)
		w.add(&shown)
		hash += action.Chain(0).Next(action.View(w.finish()))
	}
	return hash
}
