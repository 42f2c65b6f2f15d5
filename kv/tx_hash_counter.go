package kv

import (
	"math"
	"strconv"
)

// HIncrBy adds delta to the integer of a field (0 if the key or the field does not
// exist) and returns the sum. Errors, with which nothing was changed: ErrWrongType,
// ErrHashInteger, ErrOverflow, ErrOOM. Event: hincrby.
func (t *Tx) HIncrBy(db int, key, field []byte, delta int64) (int64, error) {
	c, value, err := t.openField(db, key, field)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	if value != nil {
		if n, err = ParseInt(value); err != nil {
			return 0, ErrHashInteger
		}
	}
	if delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
		return 0, ErrOverflow
	}
	n += delta
	var text [20]byte
	if _, err := t.storeFields(&c, [][]byte{field, strconv.AppendInt(text[:0], n, 10)}, "hincrby"); err != nil {
		return 0, err
	}
	return n, nil
}

// HIncrByFloat adds delta, a number as text, to the number of a field (0 if the key or
// the field does not exist) and returns the text of the sum, which is the field's value
// now; see longDouble. Errors, with which nothing was changed: ErrNotFloat, ErrNotFinite,
// ErrWrongType, ErrHashFloat, ErrInfinite, ErrOOM. Event: hincrbyfloat.
func (t *Tx) HIncrByFloat(db int, key, field, delta []byte) ([]byte, error) {
	d, err := parseLongDouble(delta)
	switch {
	case err != nil:
		return nil, err
	case d.f.IsInf():
		return nil, ErrNotFinite
	}
	c, value, err := t.openField(db, key, field)
	if err != nil {
		return nil, err
	}
	var n longDouble
	if value != nil {
		if n, err = parseLongDouble(value); err != nil {
			return nil, ErrHashFloat
		}
	}
	sum, err := n.add(d)
	if err != nil {
		return nil, err
	}
	text := sum.text()
	if _, err := t.storeFields(&c, [][]byte{field, text}, "hincrbyfloat"); err != nil {
		return nil, err
	}
	return text, nil
}

// openField opens the hash of a key for a change and returns the value of a field,
// nil if there is none; an empty one is not nil.
func (t *Tx) openField(db int, key, field []byte) (c change[*hash], value []byte, err error) {
	c, err = open[*hash](t, db, key)
	if err != nil || !c.existed {
		return c, nil, err
	}
	value, _ = c.object.get(field)
	return c, value, nil
}
