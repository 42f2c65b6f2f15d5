package topic

import (
	"hash/maphash"
	"slices"
	"strings"
)

// Index holds patterns, each with values, for [Snapshot] to find by name. It is
// the writer's side: one goroutine at a time may use it, readers use snapshots.
//
// Changes belong to the open transaction until Commit; the cost of one is a copy
// of the nodes on its way, and a transaction copies each node once however many
// of its changes pass it. So a client that arrives with a thousand patterns should
// be one transaction. Memory is 200 to 300 bytes per pattern of the usual kind, text
// and Pattern included (classes: up to 470). A snapshot that is still held keeps the nodes
// it was made of.
//
// The zero Index is not usable: see [NewIndex].
type Index[T comparable] struct {
	root    *node[T]
	txn     uint64 // the open transaction; a node with this owner is not shared yet
	seed    maphash.Seed
	count   int
	changed bool
	last    *Snapshot[T]
	path    []**node[T] // scratch of Remove

	// Patterns that match nothing are held so that Remove and Len are right, but
	// are no part of any snapshot.
	never map[neverKey[T]]struct{}
}

type neverKey[T comparable] struct {
	text  string
	value T
}

// NewIndex returns an empty index.
func NewIndex[T comparable]() *Index[T] {
	return &Index[T]{txn: 1, seed: maphash.MakeSeed(), last: &Snapshot[T]{}}
}

// Add registers v under p in the open transaction. The text of p and v are the
// key: a second Add of the same key does nothing, several values may share a text,
// and patterns of one language but different text ("a*", "a**") are different.
func (x *Index[T]) Add(p *Pattern, v T) {
	if p.never {
		x.addNever(neverKey[T]{p.text, v})
		return
	}
	e := entry[T]{p, v}
	r := newRoute(p)
	if x.locate(r, e, false) != nil {
		return
	}
	x.putInBag(x.reach(r), e)
	x.count++
	x.changed = true
}

// Remove takes v from under p in the open transaction and reports whether it was
// there. Any Pattern of the same text will do.
func (x *Index[T]) Remove(p *Pattern, v T) bool {
	if p.never {
		return x.removeNever(neverKey[T]{p.text, v})
	}
	e := entry[T]{p, v}
	r := newRoute(p)
	if x.locate(r, e, false) == nil {
		return false
	}
	x.dropFromBag(x.locate(r, e, true), e)
	for _, slot := range slices.Backward(x.path) {
		if !x.tidy(slot) {
			break
		}
	}
	clear(x.path)
	x.count--
	x.changed = true
	return true
}

// Commit closes the transaction, opens the next and returns the state between
// them: the pointer of the last Commit if nothing was added or removed since.
// Handing it to readers with the usual synchronisation (a lock, an atomic pointer)
// is up to the caller.
func (x *Index[T]) Commit() *Snapshot[T] {
	if x.changed {
		x.last = &Snapshot[T]{root: x.root}
		x.changed = false
		x.txn++
	}
	return x.last
}

// Len returns the number of registrations, those of the open transaction included.
func (x *Index[T]) Len() int { return x.count }

func (x *Index[T]) addNever(k neverKey[T]) {
	if _, ok := x.never[k]; ok {
		return
	}
	if x.never == nil {
		x.never = make(map[neverKey[T]]struct{})
	}
	x.never[k] = struct{}{}
	x.count++
}

func (x *Index[T]) removeNever(k neverKey[T]) bool {
	if _, ok := x.never[k]; !ok {
		return false
	}
	delete(x.never, k)
	x.count--
	return true
}

// reach makes the way of r, and returns where the bag at its end is kept.
func (x *Index[T]) reach(r route) **bag[T] {
	slot := &x.root
	for {
		n := x.enter(slot, r.run())
		r.at += len(n.label)
		if run := r.run(); run != "" {
			slot = n.kidSlot(run[0], true)
			continue
		}
		s, c := r.next()
		if s == stepEnd {
			return n.bag(r.end)
		}
		if slot = n.stepSlot(s, c, true); slot == nil {
			return &n.extended().residual
		}
	}
}

// locate returns where the bag that holds e is kept, or nil. With own set all on
// the way becomes editable, and path has the slots of the nodes passed.
func (x *Index[T]) locate(r route, e entry[T], own bool) **bag[T] {
	x.path = x.path[:0]
	for slot := &x.root; slot != nil && *slot != nil; {
		n := *slot
		if own {
			n = x.own(slot)
			x.path = append(x.path, slot)
		}
		run := r.run()
		if !strings.HasPrefix(run, n.label) {
			return nil
		}
		r.at += len(n.label)
		if run = run[len(n.label):]; run != "" {
			slot = n.kidSlot(run[0], false)
			continue
		}
		s, c := r.next()
		// A class that found no room when e came may have found it since, so the
		// residual list is asked first.
		if s == stepClass && n.residual().contains(x.seed, e) {
			return &n.extra.residual
		}
		if s == stepEnd {
			return x.held(n, r.end, e)
		}
		slot = n.stepSlot(s, c, false)
	}
	return nil
}

// held returns where n keeps the bag of that kind if it holds e, else nil.
func (x *Index[T]) held(n *node[T], k end, e entry[T]) **bag[T] {
	if k == endResidual && n.extra == nil {
		return nil
	}
	if b := n.bag(k); (*b).contains(x.seed, e) {
		return b
	}
	return nil
}

// bag returns where the node keeps the bag of that kind.
func (n *node[T]) bag(k end) **bag[T] {
	switch k {
	case endExact:
		return &n.exact
	case endAll:
		return &n.all
	default:
		return &n.extended().residual
	}
}

// stepSlot returns where the node keeps what a step leads to; nil if there is
// nothing or, to be created, no room.
func (n *node[T]) stepSlot(s step, c class, create bool) **node[T] {
	if s == stepClass {
		return n.classSlot(c, create)
	}
	if n.extra == nil && !create {
		return nil
	}
	if s == stepRev {
		return &n.extended().rev
	}
	return &n.extended().fwd
}
