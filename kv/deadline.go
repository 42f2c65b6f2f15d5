package kv

import "math"

// Unit is the unit of a time in a command.
type Unit int64

// The units, in milliseconds.
const (
	Milliseconds Unit = 1
	Seconds      Unit = 1000
)

// SetDeadline turns the time of SET's EX, PX, EXAT or PXAT (and of every other
// command that stores a value with a time to live) into a deadline in Unix
// milliseconds. base is [Tx.Now] for a relative time and 0 for an absolute one.
// A time that is not positive, or a deadline that overflows, is ErrExpireTime.
func SetDeadline(value int64, unit Unit, base int64) (int64, error) {
	if value <= 0 {
		return 0, ErrExpireTime
	}
	return ExpireDeadline(value, unit, base)
}

// ExpireDeadline does the same for the EXPIRE family, where a time that is not
// positive is allowed: the deadline has passed, and Expire deletes the key.
func ExpireDeadline(value int64, unit Unit, base int64) (int64, error) {
	u := int64(unit)
	if value > math.MaxInt64/u || value < math.MinInt64/u {
		return 0, ErrExpireTime
	}
	value *= u
	if value > math.MaxInt64-base {
		return 0, ErrExpireTime
	}
	return value + base, nil
}

// ExpireCondition says when EXPIRE changes a deadline; the zero value: always.
// Bits may be combined as far as Validate allows.
type ExpireCondition uint8

// The conditions. A key without a deadline counts as one that lives for ever,
// so GT never changes it and LT always does.
const (
	ExpireNX ExpireCondition = 1 << iota // the key has no deadline
	ExpireXX                             // the key has one
	ExpireGT                             // the new deadline is later
	ExpireLT                             // the new deadline is earlier
)

// Validate returns ErrExpireNX or ErrExpireGTLT for combinations Redis refuses.
func (c ExpireCondition) Validate() error {
	switch {
	case c&ExpireNX != 0 && c != ExpireNX:
		return ErrExpireNX
	case c&ExpireGT != 0 && c&ExpireLT != 0:
		return ErrExpireGTLT
	}
	return nil
}

// allows decides about a key whose deadline is old (0: none).
func (c ExpireCondition) allows(old, deadline int64) bool {
	switch {
	case c&ExpireNX != 0 && old != 0,
		c&ExpireXX != 0 && old == 0,
		c&ExpireGT != 0 && (old == 0 || deadline <= old),
		c&ExpireLT != 0 && old != 0 && deadline >= old:
		return false
	}
	return true
}
