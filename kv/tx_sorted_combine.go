package kv

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// scoredObject is what sorted sets are combined of: a sorted set, or a set, whose
// members all have the score 1.
type scoredObject interface {
	object
	// eachScored visits all members until visit returns false. The slices are valid
	// until the next change, so what makes them for the visit copies them.
	eachScored(visit func(member []byte, score float64) bool)
	score(member []byte) (score float64, ok bool)
}

// Aggregate says what becomes of the scores of a member of several sorted sets.
type Aggregate uint8

// What becomes of them.
const (
	AggregateSum Aggregate = iota // opposite infinities add up to 0
	AggregateMin
	AggregateMax
)

// of returns what becomes of two scores.
func (a Aggregate) of(x, y float64) float64 {
	switch {
	case a == AggregateMin && y < x, a == AggregateMax && y > x:
		return y
	case a != AggregateSum:
		return x
	}
	if sum := x + y; !math.IsNaN(sum) {
		return sum
	}
	return 0
}

// Combination is sorted sets, and sets, of which another one is to be made. It is
// valid until the next change of one of their keys or End, whichever comes first,
// and so are the slices that its methods return.
type Combination struct {
	inputs []combined
}

type combined struct {
	object scoredObject // nil: no such key
	weight float64
}

func (c *combined) len() int {
	if c.object == nil {
		return 0
	}
	return c.object.len()
}

// weighted is a score times the weight; 0 if that is no number.
func (c *combined) weighted(score float64) float64 {
	if score *= c.weight; !math.IsNaN(score) {
		return score
	}
	return 0
}

// ZCombine reads the keys that are to be combined. Each key counts as read. A key that does not exist is an
// empty set. ErrWrongType: a key holds neither a sorted set nor a set.
func (t *Tx) ZCombine(db int, keys [][]byte) (*Combination, error) {
	c := &Combination{inputs: make([]combined, len(keys))}
	for i, key := range keys {
		o, ok, err := readObject[scoredObject](t, db, key)
		if err != nil {
			return nil, err
		}
		c.inputs[i].weight = 1
		if ok {
			c.inputs[i].object = o
		}
	}
	return c, nil
}

// Weigh has the scores of each key multiplied, in the order of the keys. There are as many
// weights as keys.
func (c *Combination) Weigh(weights []float64) {
	for i := range c.inputs {
		c.inputs[i].weight = weights[i]
	}
}

// bySize puts the smallest first: the order in which Redis adds up scores.
func (c *Combination) bySize() []combined {
	slices.SortStableFunc(c.inputs, func(a, b combined) int { return cmp.Compare(a.len(), b.len()) })
	return c.inputs
}

// Union returns the members of any of the keys, in order. It takes O(N + M log M) for N
// members in all, and M in the result, and memory for M.
func (c *Combination) Union(a Aggregate) []Scored {
	inputs := c.bySize()
	largest := inputs[len(inputs)-1].len() // not the sum: a key may be named a thousand times
	union := make([]Scored, 0, largest)
	places := make(map[string]int, largest)
	for i := range inputs {
		input := &inputs[i]
		if input.object == nil {
			continue
		}
		input.object.eachScored(func(member []byte, score float64) bool {
			score = input.weighted(score)
			if at, again := places[string(member)]; again {
				union[at].Score = a.of(union[at].Score, score)
				return true
			}
			places[string(member)] = len(union)
			union = append(union, Scored{member, score})
			return true
		})
	}
	return inOrder(union)
}

// Intersection returns the members that are in each of the keys, in order. It takes
// O(N K + M log M) for N members of the smallest of K keys, and M in the result.
func (c *Combination) Intersection(a Aggregate) []Scored {
	var common []Scored
	c.common(func(inputs []combined, member []byte, score float64) bool {
		score = inputs[0].weighted(score)
		for i := range inputs[1:] {
			input := &inputs[i+1]
			s, _ := input.object.score(member)
			score = a.of(score, input.weight*s)
		}
		common = append(common, Scored{member, score})
		return true
	})
	return inOrder(common)
}

// IntersectionSize returns how many members are in each of the keys. It stops at
// the limit unless that is 0. It takes O(N K) for N members of the smallest of K keys.
func (c *Combination) IntersectionSize(limit int64) (n int64) {
	c.common(func([]combined, []byte, float64) bool {
		n++
		return n != limit
	})
	return n
}

// common visits the members that are in each of the keys, until visit returns false,
// with their score in the smallest, which is the first of the inputs that visit gets.
func (c *Combination) common(visit func(inputs []combined, member []byte, score float64) bool) {
	inputs := c.bySize()
	if inputs[0].object == nil {
		return
	}
	inputs[0].object.eachScored(func(member []byte, score float64) bool {
		for i := range inputs[1:] {
			if _, ok := inputs[i+1].object.score(member); !ok {
				return true
			}
		}
		return visit(inputs, member, score)
	})
}

// Difference returns the members of the first key that are in none of the others, in
// order. For N members of the first of K keys, T of the others and M in the result it takes
// O(M log M) and the lesser of O(N K) and O(N + T).
func (c *Combination) Difference() []Scored {
	first := &c.inputs[0]
	if first.object == nil {
		return nil
	}
	var left []Scored
	other := c.inOthers()
	first.object.eachScored(func(member []byte, score float64) bool {
		if !other(member) {
			left = append(left, Scored{member, score})
		}
		return true
	})
	return inOrder(left)
}

// inOthers returns what says whether a member of the first key is in another one: by
// looking into the others or, where they are many and small, by what they have in common
// with the first.
func (c *Combination) inOthers() func(member []byte) bool {
	first, others, total := &c.inputs[0], []scoredObject(nil), 0
	for i := range c.inputs[1:] {
		if o := c.inputs[i+1].object; o != nil {
			others = append(others, o)
			total += o.len()
		}
	}
	if first.len()*len(others) <= first.len()+total {
		return func(member []byte) bool {
			return slices.ContainsFunc(others, func(o scoredObject) bool {
				_, ok := o.score(member)
				return ok
			})
		}
	}
	common := map[string]bool{}
	for _, o := range others {
		o.eachScored(func(member []byte, _ float64) bool {
			if _, ok := first.object.score(member); ok {
				common[string(member)] = true
			}
			return true
		})
	}
	return func(member []byte) bool { return common[string(member)] }
}

// inOrder sorts members as a sorted set has them.
func inOrder(list []Scored) []Scored {
	slices.SortFunc(list, func(x, y Scored) int {
		return cmp.Or(cmp.Compare(x.Score, y.Score), bytes.Compare(x.Member, y.Member))
	})
	return list
}
