package health

import (
	"cmp"
	"slices"
)

// maxEndpoints bounds the memory to some 25 MiB while nobody answers. Ids can be
// made up by clients where a provider serves any model.
const maxEndpoints = 4096

// makeRoom keeps the number of endpoints bounded. Those go first that never
// answered, which made up ones never do, and of these the ones not heard of for
// longest; an eighth at a time, so that the work is not done again at the next one.
// The caller holds the lock.
func (t *Tracker) makeRoom() {
	if t.count < maxEndpoints {
		return
	}
	type candidate struct {
		id       string
		answered int // 0 or 1
		touched  int64
	}
	candidates := make([]candidate, 0, t.count)
	for id, e := range t.all() {
		c := candidate{id: id, touched: e.touched.Load()}
		if e.succeeded.Load() != 0 || len(e.reports()) != 0 {
			c.answered = 1
		}
		candidates = append(candidates, c)
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.answered, b.answered), cmp.Compare(a.touched, b.touched))
	})
	for _, c := range candidates[:maxEndpoints/8] {
		t.endpoints.Delete(c.id)
		t.count--
	}
}
