package topic

// step says how a route goes on where a run of literal bytes ends.
type step uint8

const (
	stepEnd   step = iota // the pattern is kept here
	stepClass             // one byte of a class
	stepRev               // a star and the final segment
	stepFwd               // a star and a segment that may stand anywhere
)

// end says in which bag of its node a pattern is kept.
type end uint8

const (
	endExact end = iota
	endAll
	endResidual
)

// route is the way of a pattern through the trie: up to three legs, each a
// segment, the first from the beginning of the name, a final one backwards from
// its end, one between the two forwards from anywhere.
//
//	"a?b"      a?b exact             "a*b*c"    a, fwd b, rev c, all
//	"ab*"      ab all                "a*b*"     a, fwd b, all
//	"a*bc"     a, rev cb, all        "a*b*c*d"  a residual
type route struct {
	legs  [3]segment
	via   [3]step // how a leg is entered
	count int
	end   end

	// The position: a leg, the next byte of its segment, the next of its classes.
	leg, at int
	wild    *wild
}

func newRoute(p *Pattern) route {
	r := route{count: 1}
	r.legs[0] = p.segs[0]
	r.wild = r.legs[0].wild
	switch {
	case p.stars() == 0:
		r.end = endExact
		return r
	case p.Complex():
		r.end = endResidual
		return r
	}
	r.end = endAll
	if p.stars() == 2 {
		r.add(stepFwd, p.segs[1])
	}
	if tail := p.tail(); tail.lit != "" {
		r.add(stepRev, tail.reversed())
	}
	return r
}

func (r *route) add(via step, s segment) {
	r.via[r.count], r.legs[r.count] = via, s
	r.count++
}

// run returns the literal bytes from here to the next class or the leg's end.
func (r *route) run() string {
	s := &r.legs[r.leg]
	if r.wild != nil {
		return s.lit[r.at:r.wild.at]
	}
	return s.lit[r.at:]
}

// next passes the step at the end of a run, and returns the class of stepClass.
func (r *route) next() (step, class) {
	if w := r.wild; w != nil {
		r.wild = w.next
		r.at++
		return stepClass, w.class
	}
	if r.leg+1 == r.count {
		return stepEnd, class{}
	}
	r.leg++
	r.at, r.wild = 0, r.legs[r.leg].wild
	return r.via[r.leg], class{}
}
