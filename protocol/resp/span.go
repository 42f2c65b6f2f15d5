package resp

import (
	"math"
	"time"

	"fanfare/kv"
)

// span is a time to live as the options EX and PX give it. As in SET the two
// exclude each other, and of the same one the last counts.
type span struct {
	unit   time.Duration // 0: not given
	amount []byte
}

// take reads argument i and the one behind it if they are EX or PX and a number.
func (s *span) take(x *call, i int) bool {
	var unit time.Duration
	switch {
	case x.option(i, "EX"):
		unit = time.Second
	case x.option(i, "PX"):
		unit = time.Millisecond
	}
	if unit == 0 || i+1 >= len(x.args) || s.unit != 0 && s.unit != unit {
		return false
	}
	s.unit, s.amount = unit, x.args[i+1]
	return true
}

// duration returns the span, 0 if there is none, or kv.ErrNotInteger or
// kv.ErrExpireTime.
func (s *span) duration() (time.Duration, error) {
	if s.unit == 0 {
		return 0, nil
	}
	n, err := kv.ParseInt(s.amount)
	switch {
	case err != nil:
		return 0, err
	case n <= 0 || n > math.MaxInt64/int64(s.unit):
		return 0, kv.ErrExpireTime
	}
	return time.Duration(n) * s.unit, nil
}
