package resp

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Limits of the broadcast mode.
const (
	maxPrefix      = 1 << 10   // bytes of a prefix
	maxPrefixes    = 1_000     // of a connection
	maxAllPrefixes = 1_000_000 // of all connections
)

// prefixTable knows who is to be told of which keys. Those of a key are found by its
// beginnings of the lengths that there are, not by trying every prefix.
type prefixTable struct {
	any atomic.Bool // there is one

	mu      sync.RWMutex
	groups  map[string]map[*tracker]struct{} // guarded by mu
	lengths []prefixLength                   // ascending; guarded by mu
	total   int                              // pairs of prefix and tracker; guarded by mu
}

type prefixLength struct{ bytes, count int }

// add lets t be told of keys with the prefixes, which it does not have yet. It
// answers false, and has done nothing, if there are too many.
func (p *prefixTable) add(t *tracker, prefixes []string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.total+len(prefixes) > maxAllPrefixes {
		return false
	}
	for _, prefix := range prefixes {
		if p.groups[prefix] == nil {
			if p.groups == nil {
				p.groups = map[string]map[*tracker]struct{}{}
			}
			p.groups[prefix] = map[*tracker]struct{}{}
			p.countLength(len(prefix), 1)
		}
		p.groups[prefix][t] = struct{}{}
		p.total++
	}
	p.any.Store(p.total > 0)
	return true
}

// remove ends add for all prefixes of t.
func (p *prefixTable) remove(t *tracker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, prefix := range t.prefixes {
		delete(p.groups[prefix], t)
		p.total--
		if len(p.groups[prefix]) == 0 {
			delete(p.groups, prefix)
			p.countLength(len(prefix), -1)
		}
	}
	p.any.Store(p.total > 0)
}

func (p *prefixTable) countLength(n, change int) {
	i, known := slices.BinarySearchFunc(p.lengths, n, func(l prefixLength, n int) int { return l.bytes - n })
	if !known {
		p.lengths = slices.Insert(p.lengths, i, prefixLength{bytes: n})
	}
	if p.lengths[i].count += change; p.lengths[i].count == 0 {
		p.lengths = slices.Delete(p.lengths, i, i+1)
	}
}

// distinct returns the number of different prefixes.
func (p *prefixTable) distinct() int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return len(p.groups)
}

// broadcast tells those who have a prefix of keys that changed together, which it
// puts in order: one message for each prefix, with all keys it begins.
func (s *tracking) broadcast(keys []string, by *conn) {
	slices.Sort(keys)
	keys = slices.Compact(keys)
	p := &s.prefixes
	p.mu.RLock()
	defer p.mu.RUnlock()
	begun := map[string][]string{}
	for _, key := range keys {
		for _, l := range p.lengths {
			if l.bytes > len(key) {
				break
			}
			if prefix := key[:l.bytes]; p.groups[prefix] != nil {
				begun[prefix] = append(begun[prefix], key)
			}
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(begun)) {
		m := invalidation{keys: begun[prefix]}
		for t := range p.groups[prefix] {
			s.invalidate(t, &m, by)
		}
	}
}

// broadcast tells others of what the command that ended has changed.
func (c *conn) broadcast() {
	if len(c.touched) == 0 {
		return
	}
	c.server.tracking.broadcast(c.touched, c)
	if clear(c.touched); cap(c.touched) > batchMessages {
		c.touched = nil
	}
	c.touched = c.touched[:0]
}

// overlaps returns the text of an error if one of the new prefixes begins another
// one or is begun by it: a connection would be told of a key twice.
func overlaps(old, added []string) string {
	const end = "Prefixes for a single client must not overlap."
	for i, prefix := range added {
		for _, other := range old {
			if related(prefix, other) {
				return "ERR Prefix '" + quoted([]byte(prefix), maxPrefix) + "' overlaps with an existing prefix '" +
					quoted([]byte(other), maxPrefix) + "'. " + end
			}
		}
		for _, other := range added[i+1:] {
			if related(prefix, other) {
				return "ERR Prefix '" + quoted([]byte(prefix), maxPrefix) + "' overlaps with another provided prefix '" +
					quoted([]byte(other), maxPrefix) + "'. " + end
			}
		}
	}
	return ""
}

func related(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
