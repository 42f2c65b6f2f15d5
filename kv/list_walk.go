package kv

// place of an element: the offset of its node.
type element struct {
	node, at int
}

// find returns where the i-th element is, which exists; nodes are counted from the
// nearer end.
func (l *list) find(i int) element {
	node := 0
	if i < l.count/2 {
		for ; i >= l.nodes.at(node).n; node++ {
			i -= l.nodes.at(node).n
		}
	} else {
		node = l.nodes.n - 1
		for i -= l.count - l.nodes.at(node).n; i < 0; i += l.nodes.at(node).n {
			node--
		}
	}
	return element{node, l.nodes.at(node).seek(i)}
}

// get returns an element.
func (l *list) get(e element) []byte {
	item, _ := l.nodes.at(e.node).at(e.at)
	return item
}

// each visits the elements from the i-th one on until visit returns false. The
// slices are valid until the next change.
func (l *list) each(i int, visit func(item []byte) bool) {
	if i >= l.count {
		return
	}
	for e := l.find(i); e.node < l.nodes.n; e = (element{e.node + 1, 0}) {
		p := l.nodes.at(e.node)
		for e.at < len(p.data) {
			var item []byte
			if item, e.at = p.at(e.at); !visit(item) {
				return
			}
		}
	}
}

// eachBack visits the elements from the last to the first until visit returns false.
func (l *list) eachBack(visit func(item []byte) bool) {
	for i := l.nodes.n - 1; i >= 0; i-- {
		p := l.nodes.at(i)
		for at := len(p.data); at > 0; {
			var item []byte
			if item, at = p.before(at); !visit(item) {
				return
			}
		}
	}
}

// search returns where the first equal element is; ok is false if there is none.
func (l *list) search(item []byte) (e element, ok bool) {
	for i := range l.nodes.n {
		if at := l.nodes.at(i).find(item, 1); at >= 0 {
			return element{i, at}, true
		}
	}
	return element{}, false
}

// take removes n elements, at most all, from an end and returns them from the end
// inwards. They are the caller's.
func (l *list) take(end End, n int, c *Compact) [][]byte {
	items := make([][]byte, 0, n)
	for len(items) < n {
		i := l.outermost(end)
		p := l.nodes.at(i)
		block := p.packed // of a node that goes as a whole the elements stay where they are
		count := min(n-len(items), p.n)
		from, to := p.outer(end, count)
		if count < p.n {
			block = packed{data: append([]byte(nil), p.data[from:to]...), n: count}
		}
		items = block.appendItems(items, end)
		l.replace(p, from, to, count)
		l.tidy(i, c)
	}
	return items
}

// outer returns the offsets between which the n items at an end are.
func (p *packed) outer(end End, n int) (from, to int) {
	if end == Right {
		return p.seek(p.n - n), len(p.data)
	}
	return 0, p.seek(n)
}

// appendItems appends the items, beginning at an end.
func (p *packed) appendItems(items [][]byte, end End) [][]byte {
	var item []byte
	if end == Right {
		for at := len(p.data); at > 0; {
			item, at = p.before(at)
			items = append(items, item)
		}
		return items
	}
	for at := 0; at < len(p.data); {
		item, at = p.at(at)
		items = append(items, item)
	}
	return items
}

// drop removes n elements, at most all, from an end.
func (l *list) drop(end End, n int, c *Compact) {
	for n > 0 && l.count > 0 {
		i := l.outermost(end)
		p := l.nodes.at(i)
		count := min(n, p.n)
		from, to := p.outer(end, count)
		l.replace(p, from, to, count)
		l.tidy(i, c)
		n -= count
	}
}

// remove takes away the elements that are equal, in the order of the list: skip of
// them are left alone, then at most n go. It returns how many went.
func (l *list) remove(item []byte, skip, n int, c *Compact) (removed int) {
	equal := func(other []byte) bool {
		switch {
		case removed == n || string(other) != string(item):
			return false
		case skip > 0:
			skip--
			return false
		}
		removed++
		return true
	}
	for i := 0; i < l.nodes.n && removed < n; i++ {
		p := l.nodes.at(i)
		l.count -= p.n
		l.size -= p.bytes()
		p.filter(equal)
		l.count += p.n
		l.size += p.bytes()
	}
	if removed > 0 {
		l.compact(c)
	}
	return removed
}

// filter removes the items that drop is true of.
func (p *node) filter(drop func(item []byte) bool) {
	to, n := 0, 0
	for at := 0; at < len(p.data); {
		item, next := p.at(at)
		if !drop(item) {
			to += copy(p.data[to:], p.data[at:next])
			n++
		}
		at = next
	}
	if n < p.n {
		p.open(to, len(p.data), 0, 0)
		p.n = n
	}
}

// compact lets all empty nodes go and joins small neighbours.
func (l *list) compact(c *Compact) {
	n := 0
	for i := range l.nodes.n {
		p := l.nodes.at(i)
		if p.n == 0 {
			continue
		}
		if n != i {
			*l.nodes.at(n), *p = *p, node{}
		}
		if n++; n > 1 && l.small(n-2, c) {
			n--
			l.merge(n - 1)
		}
	}
	l.nodes.truncate(n)
}
