package topic

import (
	"slices"
	"strings"
)

// blockNames is the most names of a block. Adding to one moves half of them at
// most, 4 KiB of string headers, which costs less than another level of search.
const blockNames = 512

// Names is an ordered set of names that can be listed by pattern without looking
// at all of them: names in byte order stand together if they begin alike, so only
// the range of the pattern's literal beginning is looked at.
//
// The names are kept in blocks of at most 512, in order within and among them. A
// tree would save a little moving and cost three times the memory: this takes 16
// to 32 bytes per name in a set that grows, and at most some 64 in one that has
// shrunk, beside the names' own bytes, which are kept and not copied.
//
// The zero value is an empty set. It is not safe for concurrent use.
type Names struct {
	// Invariant: no block is empty, and two neighbours together hold more than
	// half a block, so that a set that has shrunk gives its memory back.
	blocks [][]string
	count  int
}

// Len returns the number of names.
func (n *Names) Len() int { return n.count }

// Add puts name into the set, which keeps it, and reports whether it is new.
// Every name is legal, the empty one too.
func (n *Names) Add(name string) bool {
	if len(n.blocks) == 0 {
		n.blocks = append(n.blocks, []string{name})
		n.count = 1
		return true
	}
	i, at, found := n.place(name)
	if found {
		return false
	}
	if len(n.blocks[i]) == blockNames {
		i, at = n.split(i, at)
	}
	n.blocks[i] = slices.Insert(n.blocks[i], at, name)
	n.count++
	return true
}

// Remove takes name out of the set and reports whether it was there.
func (n *Names) Remove(name string) bool {
	i, at, found := n.place(name)
	if !found {
		return false
	}
	n.blocks[i] = slices.Delete(n.blocks[i], at, at+1)
	n.count--
	n.tidy(i)
	return true
}

// Match appends to dst the names that p matches, in byte order, from the first
// one that is not below from: at most most of them, looking at look names at most
// (values below 1 count as 1). It returns dst and the name to go on from, which is
// empty when there is nothing more to look at.
//
// So a caller that holds a lock can let go of it between steps: it begins with "",
// the lowest of all names, and goes on with what it got. Whatever is in the set all
// the while is listed exactly once, what comes or goes meanwhile at most once. The
// cost is that of a binary search and of the names looked at; a pattern without
// wildcards looks at one.
func (n *Names) Match(dst []string, p *Pattern, from string, most, look int) (names []string, next string) {
	if p.never {
		return dst, ""
	}
	prefix := p.Prefix()
	i, at, found := n.place(max(from, prefix))
	if p.literal() {
		if found && from <= prefix {
			dst = append(dst, n.blocks[i][at])
		}
		return dst, ""
	}
	most, look = max(most, 1), max(look, 1)
	for ; i < len(n.blocks); i, at = i+1, 0 {
		for _, name := range n.blocks[i][at:] {
			switch {
			case !strings.HasPrefix(name, prefix):
				return dst, ""
			case most == 0 || look == 0:
				return dst, name
			case p.MatchString(name):
				dst = append(dst, name)
				most--
			}
			look--
		}
	}
	return dst, ""
}

// literal reports whether the pattern is without wildcards: it matches its Prefix
// and nothing else.
func (p *Pattern) literal() bool { return p.stars() == 0 && p.segs[0].wild == nil }

// place returns the block and the place in it where name is or belongs. Without
// blocks both are 0.
func (n *Names) place(name string) (block, at int, found bool) {
	block, found = slices.BinarySearchFunc(n.blocks, name, func(b []string, name string) int {
		return strings.Compare(b[0], name)
	})
	if found || block == 0 {
		return block, 0, found
	}
	block--
	at, found = slices.BinarySearch(n.blocks[block], name)
	return block, at, found
}

// split makes room in the full block i and returns where its place at has gone.
// Names that come in their order leave full blocks behind, not half ones.
func (n *Names) split(i, at int) (block, place int) {
	full, cut := n.blocks[i], blockNames/2
	if at == blockNames && i == len(n.blocks)-1 {
		cut = blockNames
	}
	right := append(make([]string, 0, blockNames), full[cut:]...)
	clear(full[cut:]) // The names belong to the other block now.
	n.blocks[i] = full[:cut]
	n.blocks = slices.Insert(n.blocks, i+1, right)
	if at < cut {
		return i, at
	}
	return i + 1, at - cut
}

// tidy keeps the invariant of blocks after a name was taken out of block i.
func (n *Names) tidy(i int) {
	b := n.blocks[i]
	switch {
	case len(b) == 0:
		n.blocks = slices.Delete(n.blocks, i, i+1)
	case n.join(i - 1), n.join(i):
	case cap(b) > 16 && len(b) <= cap(b)/4:
		n.blocks[i] = append(make([]string, 0, 2*len(b)), b...)
	}
}

// join makes one block of block i and the next if both exist and fill half a block
// at most, and reports whether it did.
func (n *Names) join(i int) bool {
	if i < 0 || i+1 >= len(n.blocks) || len(n.blocks[i])+len(n.blocks[i+1]) > blockNames/2 {
		return false
	}
	n.blocks[i] = append(n.blocks[i], n.blocks[i+1]...)
	n.blocks = slices.Delete(n.blocks, i+1, i+2)
	return true
}
