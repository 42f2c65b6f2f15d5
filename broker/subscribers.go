package broker

import "slices"

const (
	flatMax  = 16  // up to this many subscriptions one list is quicker than groups
	flatMin  = 8   // at this many the groups become one list again
	blockMax = 256 // what a change copies
)

// subscribers is the immutable set of the subscriptions of one channel or
// pattern. Fan-out workers walk a set while the next one is made.
//
// Small sets are one list. Large ones are grouped by worker and format, each
// group in blocks, so that a change copies one block and the list of blocks:
// 100,000 clients that arrive on one channel must not copy gigabytes.
type subscribers struct {
	n      int
	counts [MaxFormats]int32
	masks  [MaxFormats]uint64 // workers that have receivers of the format
	flat   []*Subscription
	groups []group // by worker*MaxFormats + format; nil while flat is used
}

type group [][]*Subscription

func groupOf(s *Subscription) int { return s.session.worker.index*MaxFormats + int(s.format) }

// size returns the number of subscriptions; a nil set has none.
func (s *subscribers) size() int {
	if s == nil {
		return 0
	}
	return s.n
}

// formats returns the formats that have receivers.
func (s *subscribers) formats() formatSet {
	if s == nil {
		return 0
	}
	var set formatSet
	for f, n := range s.counts {
		if n > 0 {
			set = set.with(Format(f))
		}
	}
	return set
}

// with returns the set with sub added. The caller holds the subscription
// writer and derives only from the newest set.
func (s *subscribers) with(sub *Subscription, workers int) *subscribers {
	if s == nil {
		s = &subscribers{}
	}
	next := *s
	next.n++
	next.counts[sub.format]++
	next.masks[sub.format] |= 1 << sub.session.worker.index
	switch {
	case s.groups != nil:
		next.groups = slices.Clone(s.groups)
		next.addToGroup(sub)
	case s.n < flatMax:
		next.flat = append(slices.Clip(s.flat), sub)
	default:
		next.flat = nil
		next.groups = make([]group, workers*MaxFormats)
		for _, old := range s.flat {
			next.addToGroup(old)
		}
		next.addToGroup(sub)
	}
	return &next
}

// addToGroup appends to the last block. Sets derived earlier share the block's
// array, but not the element behind their own length.
func (s *subscribers) addToGroup(sub *Subscription) {
	g := &s.groups[groupOf(sub)]
	blocks := slices.Clone(*g)
	if n := len(blocks); n == 0 || len(blocks[n-1]) == blockMax {
		blocks = append(blocks, nil)
	}
	last := len(blocks) - 1
	sub.block, sub.slot = int32(last), int32(len(blocks[last]))
	blocks[last] = append(blocks[last], sub)
	*g = blocks
}

// without returns the set with sub, which must be in it, removed; nil when it
// was the last one.
func (s *subscribers) without(sub *Subscription) *subscribers {
	if s.n == 1 {
		return nil
	}
	next := *s
	next.n--
	next.counts[sub.format]--
	if s.groups == nil {
		i := slices.Index(s.flat, sub)
		next.flat = slices.Concat(s.flat[:i], s.flat[i+1:])
		next.recount(sub.format)
		return &next
	}
	next.groups = slices.Clone(s.groups)
	next.removeFromGroup(sub)
	if next.n <= flatMin {
		next.flatten()
		next.recount(sub.format)
	}
	return &next
}

// removeFromGroup moves the group's last subscription into the place of sub.
func (s *subscribers) removeFromGroup(sub *Subscription) {
	g := &s.groups[groupOf(sub)]
	blocks := slices.Clone(*g)
	last := len(blocks) - 1
	tail := slices.Clone(blocks[last])
	moved := tail[len(tail)-1]
	tail = tail[:len(tail)-1]
	blocks[last] = tail
	if moved != sub {
		if int(sub.block) != last {
			blocks[sub.block] = slices.Clone(blocks[sub.block])
		}
		blocks[sub.block][sub.slot] = moved
		moved.block, moved.slot = sub.block, sub.slot
	}
	if len(tail) == 0 {
		blocks = blocks[:last]
	}
	if *g = blocks; len(blocks) == 0 {
		s.masks[sub.format] &^= 1 << sub.session.worker.index
	}
}

func (s *subscribers) flatten() {
	s.flat = make([]*Subscription, 0, flatMax)
	for _, g := range s.groups {
		for _, block := range g {
			s.flat = append(s.flat, block...)
		}
	}
	s.groups = nil
}

// recount makes the mask of a format anew from the flat list.
func (s *subscribers) recount(f Format) {
	s.masks[f] = 0
	for _, sub := range s.flat {
		if sub.format == f {
			s.masks[f] |= 1 << sub.session.worker.index
		}
	}
}
