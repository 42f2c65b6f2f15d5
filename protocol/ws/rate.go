package ws

import "time"

// rate limits the requests of one connection: so many at once, and so many per
// second after that.
//
// It is the bucket of tokens with one number instead of two: the time at which
// the bucket would be full again. Times are since the server began, which is
// half the size of a time.Time, and there is one rate per connection.
type rate struct {
	full  time.Duration // when all of the burst can be used again
	since time.Duration // when the refusals began that have not paused for a second since
	last  time.Duration // the last refusal
	told  time.Duration // the last refusal without an id that was answered
	begun bool          // there was a refusal; without it the three above say nothing
}

const (
	// restful is how long a connection keeps within its rate for its earlier
	// refusals to be forgotten, and how often one without an id is answered.
	restful = time.Second
	// maxOver is how long a connection may be over its rate.
	maxOver = 10 * time.Second
)

// admit says whether a request may be run now. A negative limit is none.
func (r *rate) admit(now time.Duration, perSecond, burst int) bool {
	if perSecond < 0 {
		return true
	}
	each := time.Second / time.Duration(perSecond)
	next := max(r.full, now) + each
	if next-now > each*time.Duration(burst) {
		return false
	}
	r.full = next
	return true
}

// refuse takes note of a refused request, and says whether the connection has
// been over its rate for too long.
func (r *rate) refuse(now time.Duration) (tooLong bool) {
	if !r.begun {
		r.told = now - restful
	}
	if !r.begun || now-r.last >= restful {
		r.since = now
	}
	r.begun, r.last = true, now
	return now-r.since >= maxOver
}

// tell says whether a refusal of a request without an id is answered.
func (r *rate) tell(now time.Duration) bool {
	if now-r.told < restful {
		return false
	}
	r.told = now
	return true
}
