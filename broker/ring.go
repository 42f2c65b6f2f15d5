package broker

// ring is a queue in an array that grows as needed.
type ring[T any] struct {
	buf     []T
	head, n int
}

// at returns the i-th element from the front.
func (r *ring[T]) at(i int) *T { return &r.buf[(r.head+i)%len(r.buf)] }

func (r *ring[T]) push(v T) {
	if r.n == len(r.buf) {
		r.resize(max(4, 2*r.n))
	}
	r.buf[(r.head+r.n)%len(r.buf)] = v
	r.n++
}

// pop removes the front. An array that has become far too large is replaced.
func (r *ring[T]) pop() T {
	front := r.at(0)
	v := *front
	var zero T
	*front = zero
	r.head = (r.head + 1) % len(r.buf)
	if r.n--; r.n*4 < len(r.buf) && len(r.buf) > 16 {
		r.resize(2 * r.n)
	}
	return v
}

func (r *ring[T]) resize(size int) {
	buf := make([]T, size)
	for i := range r.n {
		buf[i] = *r.at(i)
	}
	r.buf, r.head = buf, 0
}

// filter keeps the elements that keep wants.
func (r *ring[T]) filter(keep func(*T) bool) {
	old := *r
	*r = ring[T]{}
	for i := range old.n {
		if v := old.at(i); keep(v) {
			r.push(*v)
		}
	}
}
