package kv

import "math/rand/v2"

// sampler chooses need of left things in one pass; every choice of that many is
// equally likely.
type sampler struct{ need, left int }

// next says whether the next thing is one of the chosen.
func (s *sampler) next() bool {
	chosen := rand.IntN(s.left) < s.need //nolint:gosec // no secret
	s.left--
	if chosen {
		s.need--
	}
	return chosen
}

// dense is how many times more entries there must be than are wanted for them to be
// drawn one by one, and drawn again where one comes twice. With fewer a pass over all
// is cheaper.
const dense = 3

// sample visits n entries, each once, until visit returns false. n is less than
// there are.
func (d *dict) sample(n int, visit func(*entry) bool) {
	if n > d.count/dense {
		s := sampler{need: n, left: d.count}
		d.each(func(e *entry) bool { return !s.next() || visit(e) })
		return
	}
	drawn := make(map[*entry]struct{}, n)
	for len(drawn) < n {
		e := d.random()
		if _, again := drawn[e]; again {
			continue
		}
		drawn[e] = struct{}{}
		if !visit(e) {
			return
		}
	}
}

// draw visits n entries, each of them any one, until visit returns false. The dict is not
// empty. More than there are come from a list of all, made first, because each way
// through the table costs several cache misses.
func (d *dict) draw(n int64, visit func(*entry) bool) {
	next := d.random
	if n > int64(d.count) {
		all := make([]*entry, 0, d.count)
		d.each(func(e *entry) bool {
			all = append(all, e)
			return true
		})
		next = func() *entry { return all[rand.IntN(len(all))] } //nolint:gosec // no secret
	}
	for ; n > 0 && visit(next()); n-- {
	}
}
