package kv

import (
	"bytes"
	"math/big"
)

// longDouble is a floating point number with the 64 bits of mantissa and the
// range of C's long double on x86, in which Redis counts for INCRBYFLOAT and
// HINCRBYFLOAT. A float64 would not do: 3.0 plus 0.1 would print as
// 3.10000000000000009, where Redis prints 3.1.
//
// Reading, adding and printing each round once, to nearest and to even, as
// glibc and the x87 do, so the texts are Redis' to the last digit.
type longDouble struct{ f big.Float }

const (
	mantissaBits = 64

	// maxExponent and minExponent bound numbers 0.5 <= m < 1 times 2 to that power: above
	// is infinity, below is nearer to zero than to the least number there is.
	maxExponent = 16384
	minExponent = -16445

	// maxPower and minPower are decimal and a little wider: beyond them nothing need be computed.
	maxPower = 4940
	minPower = -4970

	// decimals is how many digits behind the point are printed before zeros are cut off.
	decimals = 17

	// maxNumber is how long, in bytes, a number may be.
	maxNumber = 5*1024 - 1
)

// parseLongDouble reads what C's strtold reads, if it is all of b: decimal or
// hexadecimal, "inf" and "infinity", but not "nan", blanks, or a number that is
// too large or too small.
func parseLongDouble(b []byte) (longDouble, error) {
	if len(b) > maxNumber {
		return longDouble{}, ErrNotFloat
	}
	negative := bytes.HasPrefix(b, []byte("-"))
	if negative || bytes.HasPrefix(b, []byte("+")) {
		b = b[1:]
	}
	var n longDouble
	if isInfinity(b) {
		n.f.SetInf(negative)
		return n, nil
	}
	x, ok := scanNumber(b)
	if !ok || !x.value(&n.f) {
		return longDouble{}, ErrNotFloat
	}
	if negative {
		n.f.Neg(&n.f)
	}
	return n, nil
}

func isInfinity(b []byte) bool {
	return bytes.EqualFold(b, []byte("inf")) || bytes.EqualFold(b, []byte("infinity"))
}

// add returns the sum; ErrInfinite if it is none or too large.
func (n *longDouble) add(d longDouble) (sum longDouble, err error) {
	if n.f.IsInf() || d.f.IsInf() {
		return sum, ErrInfinite
	}
	sum.f.SetPrec(mantissaBits).Add(&n.f, &d.f)
	if sum.f.MantExp(nil) > maxExponent {
		return sum, ErrInfinite
	}
	return sum, nil
}

// text prints the number without an exponent, and without a minus when all its
// digits are zero.
func (n *longDouble) text() []byte {
	text := n.f.Append(nil, 'f', decimals)
	text = bytes.TrimSuffix(bytes.TrimRight(text, "0"), []byte("."))
	if string(text) == "-0" {
		return text[1:]
	}
	return text
}

// number is a scanned one: mantissa times base (2 if hexadecimal) to the power.
type number struct {
	mantissa big.Int
	hex      bool
	digits   int // of the mantissa, without leading zeros
	power    int
}

// scanNumber reads a number without sign; ok is false unless it is all of b.
func scanNumber(b []byte) (x number, ok bool) {
	base, marker, perDigit := 10, byte('e'), 1
	if len(b) > 1 && b[0] == '0' && b[1]|0x20 == 'x' {
		x.hex, b = true, b[2:]
		base, marker, perDigit = 16, 'p', 4
	}
	digits, point, rest := scanDigits(b, x.hex)
	if len(digits) == 0 {
		return x, false
	}
	if len(rest) > 0 {
		if rest[0]|0x20 != marker {
			return x, false
		}
		if x.power, ok = scanPower(rest[1:]); !ok {
			return x, false
		}
	}
	x.power -= perDigit * (len(digits) - point)
	x.digits = len(bytes.TrimLeft(digits, "0"))
	_, ok = x.mantissa.SetString(string(digits), base)
	return x, ok
}

// scanDigits reads digits with a point perhaps; point is how many are before it.
func scanDigits(b []byte, hex bool) (digits []byte, point int, rest []byte) {
	digits, point = make([]byte, 0, len(b)), -1
	for i, ch := range b {
		switch {
		case '0' <= ch && ch <= '9' || hex && 'a' <= ch|0x20 && ch|0x20 <= 'f':
			digits = append(digits, ch)
			continue
		case ch == '.' && point < 0:
			point = len(digits)
			continue
		}
		rest = b[i:]
		break
	}
	if point < 0 {
		point = len(digits)
	}
	return digits, point, rest
}

// scanPower reads an exponent with its sign. One that is beyond all use is cut.
func scanPower(b []byte) (power int, ok bool) {
	negative := bytes.HasPrefix(b, []byte("-"))
	if negative || bytes.HasPrefix(b, []byte("+")) {
		b = b[1:]
	}
	for _, ch := range b {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		power = min(10*power+int(ch-'0'), 1<<20)
	}
	if negative {
		power = -power
	}
	return power, len(b) > 0
}

// value rounds the number to a longDouble's f; false if it is out of range.
func (x *number) value(f *big.Float) bool {
	f.SetPrec(mantissaBits)
	switch magnitude := x.digits + x.power; {
	case x.digits == 0:
		return true
	case x.hex:
		f.SetMantExp(f.SetInt(&x.mantissa), x.power)
	case magnitude > maxPower || magnitude < minPower:
		return false
	case x.power >= 0:
		f.SetInt(x.mantissa.Mul(&x.mantissa, powerOfTen(x.power)))
	default:
		// Both operands are exact, so that the quotient rounds once.
		f.Quo(new(big.Float).SetInt(&x.mantissa), new(big.Float).SetInt(powerOfTen(-x.power)))
	}
	exponent := f.MantExp(nil)
	return minExponent <= exponent && exponent <= maxExponent
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}
