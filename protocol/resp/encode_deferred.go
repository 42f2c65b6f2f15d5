package resp

// setFrom makes a set (in RESP2 an array) of the n values that were appended since the
// buffer had the given length: for replies whose length is known at their end.
func (w *Writer) setFrom(begin, n int) {
	var head [24]byte
	end := len(w.buf)
	w.Set(n)
	size := copy(head[:], w.buf[end:])
	copy(w.buf[begin+size:], w.buf[begin:end])
	copy(w.buf[begin:], head[:size])
}
