package kv

import (
	"bytes"
	"math"
	"strconv"
)

// AppendScore appends a number as Redis (7.2 and later) writes scores: in the fewest
// digits that read back as the same number; whole numbers of less than 52 bits
// without an exponent, others with one where that is shorter: "1e+20", "1e-7". It
// also writes "inf", "-inf", "nan" and "-0".
func AppendScore(dst []byte, f float64) []byte {
	const whole = 1 << 52
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case math.Abs(f) < whole && f == math.Trunc(f):
		return strconv.AppendFloat(dst, f, 'f', 0, 64)
	}
	var scratch [32]byte
	text := strconv.AppendFloat(scratch[:0], math.Abs(f), 'e', -1, 64)
	mark := bytes.IndexByte(text, 'e')
	exponent, _ := strconv.Atoi(string(text[mark+1:])) // of the first digit
	digits := text[:1]
	if mark > 1 {
		copy(text[1:], text[2:mark]) // over the point
		digits = text[:mark-1]
	}
	if f < 0 {
		dst = append(dst, '-')
	}
	return appendDigits(dst, digits, exponent)
}

// appendDigits lays digits out, the first of which stands for so many times ten to
// the exponent. Redis' rule looks at the exponent of the last one.
func appendDigits(dst, digits []byte, exponent int) []byte {
	n := len(digits)
	last := exponent - (n - 1)
	magnitude := max(exponent, -exponent)
	switch {
	case last >= 0 && magnitude < n+7:
		return append(append(dst, digits...), zeros[:last]...)
	case last < 0 && (last > -7 || magnitude < 4) && exponent >= 0:
		dst = append(append(dst, digits[:exponent+1]...), '.')
		return append(dst, digits[exponent+1:]...)
	case last < 0 && (last > -7 || magnitude < 4):
		dst = append(append(dst, "0."...), zeros[:-exponent-1]...)
		return append(dst, digits...)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	dst = append(dst, 'e')
	if exponent >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(exponent), 10)
}

// zeros is more than appendDigits takes.
const zeros = "0000000000000000"
