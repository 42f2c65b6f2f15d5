package kv

import (
	"math"
	"strconv"
)

// IncrBy adds delta to the integer that a key holds (0 if it does not exist) and
// returns the sum; a time to live stays. Errors, with which nothing was changed:
// ErrWrongType, ErrNotInteger, ErrOverflow, ErrOOM. Event: incrby, also when
// delta is negative.
func (t *Tx) IncrBy(db int, key []byte, delta int64) (int64, error) {
	p, e, err := t.findString(db, key)
	if err != nil {
		return 0, err
	}
	var n int64
	if e != nil {
		if n, err = ParseInt(e.value()); err != nil {
			return 0, err
		}
	}
	if delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
		return 0, ErrOverflow
	}
	n += delta
	var text [20]byte
	if err := t.rewrite(p, db, key, strconv.AppendInt(text[:0], n, 10), "incrby"); err != nil {
		return 0, err
	}
	return n, nil
}

// IncrByFloat adds delta, a number as text, to the number that a key holds (0 if
// it does not exist) and returns the text of the sum, which is the key's value
// now; see longDouble. A time to live stays. Errors, with which nothing was
// changed: ErrWrongType, ErrNotFloat, ErrInfinite, ErrOOM. Event: incrbyfloat.
func (t *Tx) IncrByFloat(db int, key, delta []byte) ([]byte, error) {
	p, e, err := t.findString(db, key)
	if err != nil {
		return nil, err
	}
	var n longDouble
	if e != nil {
		if n, err = parseLongDouble(e.value()); err != nil {
			return nil, err
		}
	}
	d, err := parseLongDouble(delta)
	if err != nil {
		return nil, err
	}
	sum, err := n.add(d)
	if err != nil {
		return nil, err
	}
	text := sum.text()
	if err := t.rewrite(p, db, key, text, "incrbyfloat"); err != nil {
		return nil, err
	}
	return text, nil
}
