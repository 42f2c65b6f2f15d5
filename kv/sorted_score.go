package kv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// Scored is a member of a sorted set with its score, which is not NaN.
type Scored struct {
	Member []byte
	Score  float64
}

// scoreSize is what a score takes behind the member of an entry.
const scoreSize = 8

func appendScore(dst []byte, score float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(score))
}

// entryScore returns the score of an entry of a sorted set's dict.
func entryScore(e *entry) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(e.value()))
}

// packScore appends a score in the form it has in a packed set: the bits of the
// float, the highest first, without the zero bytes at the end, of which the small
// integers have five or six.
func packScore(dst []byte, score float64) []byte {
	for bits := math.Float64bits(score); bits != 0; bits <<= 8 {
		dst = append(dst, byte(bits>>56))
	}
	return dst
}

// unpackScore reads what packScore has written; more than eight bytes are cut.
func unpackScore(b []byte) float64 {
	var bits [scoreSize]byte
	copy(bits[:], b)
	return math.Float64frombits(binary.BigEndian.Uint64(bits[:]))
}

// unsignedZero makes 0 of -0, which are equal.
func unsignedZero(score float64) float64 {
	if score == 0 {
		return 0
	}
	return score
}

// before says whether one member with its score comes before another.
func before(score float64, member []byte, otherScore float64, other []byte) bool {
	return score < otherScore || score == otherScore && bytes.Compare(member, other) < 0
}

// ParseScore reads a score as Redis does: what C's strtod reads, decimal or
// hexadecimal or infinite, if it is all of b. Anything else is ErrNotFloat: also
// NaN, and what is too large, or too near to zero, for a float64.
func ParseScore(b []byte) (float64, error) {
	score, inRange, ok := scanScore(b)
	if !ok || !inRange {
		return 0, ErrNotFloat
	}
	return score, nil
}

// scanScore reads a number. If it is out of range, score is infinite or zero.
func scanScore(b []byte) (score float64, inRange, ok bool) {
	if bytes.IndexByte(b, '_') >= 0 { // which Go reads
		return 0, false, false
	}
	digits := bytes.TrimLeft(b, "+-")
	hex := len(digits) > 1 && digits[0] == '0' && digits[1]|0x20 == 'x'
	if hex && !bytes.ContainsAny(digits, "pP") { // which Go asks for
		b = append(bytes.Clone(b), "p0"...)
	}
	score, err := strconv.ParseFloat(string(b), 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return score, false, true
	case err != nil || math.IsNaN(score):
		return 0, false, false
	}
	return score, score != 0 || zeroDigits(digits, hex), true
}

// zeroDigits says whether all digits of a number are zeros.
func zeroDigits(digits []byte, hex bool) bool {
	nonZero, exponent := "123456789", "eE"
	if hex {
		digits, nonZero, exponent = digits[2:], "123456789abcdefABCDEF", "pP"
	}
	if end := bytes.IndexAny(digits, exponent); end >= 0 {
		digits = digits[:end]
	}
	return !bytes.ContainsAny(digits, nonZero)
}

// ScoreBound is one end of a range of scores.
type ScoreBound struct {
	Score     float64
	Exclusive bool
}

// ParseScoreBound reads a bound as Redis does: a number, with '(' before it if it
// is exclusive. Here nothing at all is zero, white space may come first, and what is
// out of range is infinite or zero. Anything else is ErrScoreBound.
func ParseScoreBound(b []byte) (bound ScoreBound, err error) {
	if bytes.HasPrefix(b, []byte("(")) {
		bound.Exclusive, b = true, b[1:]
	}
	if len(b) == 0 {
		return bound, nil
	}
	var ok bool
	if bound.Score, _, ok = scanScore(bytes.TrimLeft(b, " \t\n\v\f\r")); !ok {
		return ScoreBound{}, ErrScoreBound
	}
	return bound, nil
}

// MemberBound is one end of a range of members.
type MemberBound struct {
	Member    []byte
	Exclusive bool
	// Beyond is -1 for the bound before all members, 1 for that behind all of them,
	// else 0.
	Beyond int
}

// ParseMemberBound reads a bound as Redis does: a member behind '[', or '(' if it is
// exclusive, or "-" or "+" for no bound at all. Anything else is ErrMemberBound.
// The member is not copied.
func ParseMemberBound(b []byte) (MemberBound, error) {
	switch {
	case string(b) == "-":
		return MemberBound{Beyond: -1}, nil
	case string(b) == "+":
		return MemberBound{Beyond: 1}, nil
	case bytes.HasPrefix(b, []byte("[")):
		return MemberBound{Member: b[1:]}, nil
	case bytes.HasPrefix(b, []byte("(")):
		return MemberBound{Member: b[1:], Exclusive: true}, nil
	}
	return MemberBound{}, ErrMemberBound
}
