package kv

import (
	"math"
	"math/big"
)

// ParseTimeout reads seconds, as C's strtold does, for a command that waits and
// returns milliseconds; a part of one counts as a whole. ErrNotFloat: it is no number;
// ErrOverflow: it does not fit.
func ParseTimeout(seconds []byte) (ms int64, err error) {
	n, err := parseLongDouble(seconds)
	if err != nil {
		return 0, err
	}
	n.f.Mul(&n.f, big.NewFloat(1000))
	ms, accuracy := n.f.Int64()
	switch {
	case ms == math.MaxInt64:
		return 0, ErrOverflow
	case ms >= 0 && accuracy == big.Below: // cut towards zero
		ms++
	}
	return ms, nil
}
