package topic

// oracle answers by the list of quirks in the package documentation, recursively
// and from the raw text. It shares no code with the matcher on purpose.
func oracle(pattern, name string) bool {
	if name == "" {
		return pattern == ""
	}
	if oracleDepth(pattern) > 1000 {
		return false
	}
	o := oracleRun{pattern: pattern, name: name, known: map[[2]int]bool{}}
	return o.from(0, 0)
}

type oracleRun struct {
	pattern, name string
	known         map[[2]int]bool
}

// from reports whether the pattern from i on matches the name from j on. Answers
// are kept only so that the recursion ends in this universe.
func (o *oracleRun) from(i, j int) bool {
	at := [2]int{i, j}
	if v, ok := o.known[at]; ok {
		return v
	}
	v := o.decide(i, j)
	o.known[at] = v
	return v
}

func (o *oracleRun) decide(i, j int) bool {
	if i == len(o.pattern) {
		return j == len(o.name)
	}
	if o.pattern[i] == '*' {
		return o.from(i+1, j) || j < len(o.name) && o.from(i, j+1)
	}
	if j == len(o.name) {
		return false
	}
	b := o.name[j]
	switch {
	case o.pattern[i] == '?':
		return o.from(i+1, j+1)
	case o.pattern[i] == '[':
		in, next := oracleClass(o.pattern, i+1, b)
		return in && o.from(next, j+1)
	case o.pattern[i] == '\\' && i+1 < len(o.pattern):
		return o.pattern[i+1] == b && o.from(i+2, j+1)
	}
	return o.pattern[i] == b && o.from(i+1, j+1)
}

// oracleClass reports whether b is in the class that begins after its bracket at
// i, and where the class ends.
func oracleClass(p string, i int, b byte) (in bool, next int) {
	signed := func(b byte) int {
		if b >= 128 {
			return int(b) - 256
		}
		return int(b)
	}
	inverted := false
	if i < len(p) && p[i] == '^' {
		inverted = true
		i++
	}
	for {
		left := len(p) - i
		if left == 0 {
			return in != inverted, i
		}
		if p[i] == '\\' && left > 1 {
			in = in || p[i+1] == b
			i += 2
			continue
		}
		if p[i] == ']' {
			return in != inverted, i + 1
		}
		if left > 2 && p[i+1] == '-' {
			x, y, v := signed(p[i]), signed(p[i+2]), signed(b)
			in = in || x <= v && v <= y || y <= v && v <= x
			i += 3
			continue
		}
		in = in || p[i] == b
		i++
	}
}

// oracleDepth counts the groups of stars that something other than stars follows.
func oracleDepth(p string) int {
	depth, open := 0, false
	for i := 0; i < len(p); {
		if p[i] == '*' {
			open = true
			i++
			continue
		}
		if open {
			depth++
			open = false
		}
		switch {
		case p[i] == '[':
			_, i = oracleClass(p, i+1, 0)
		case p[i] == '\\' && i+1 < len(p):
			i += 2
		default:
			i++
		}
	}
	return depth
}
