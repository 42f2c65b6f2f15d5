package kv

import (
	"errors"
	"strings"
	"testing"
)

// The sums were made by redis-server (INCRBYFLOAT on a key with the first number).
func TestLongDoublesCountAsRedisDoes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, a, b, want string }{
		{"a sum that a float64 does not print", "3.0", "0.1", "3.1"},
		{"both have decimals", "10.50", "0.1", "10.6"},
		{"exponents", "5.0e3", "200", "5200"},
		{"zeros at the end go", "1.500", "1.5", "3"},
		{"no minus before zero", "-1", "1", "0"},
		{"nor before what rounds to it", "-1e-20", "0", "0"},
		{"64 bits of mantissa", "9223372036854775807", "1", "9223372036854775808"},
		{"and no more", "18446744073709551616", "1", "18446744073709551616"},
		{"hexadecimal", "0x1.8p3", "0X10", "28"},
		{"half a point", ".5", "5.", "5.5"},
		{"plus signs", "+1", "+1", "2"},
		{"zero with any exponent", "0e999999999", "1", "1"},
		{"a number too small to print", "1e-4950", "1", "1"},
		{"17 decimals", "0.12345678901234567", "0", "0.12345678901234567"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := parseLongDouble([]byte(tt.a))
			b, errB := parseLongDouble([]byte(tt.b))
			if err != nil || errB != nil {
				t.Fatal(err, errB)
			}
			sum, err := a.add(b)
			if got := string(sum.text()); got != tt.want || err != nil {
				t.Errorf("%s + %s: got %s, %v, want %s", tt.a, tt.b, got, err, tt.want)
			}
		})
	}
}

func TestLongDoublesRefuseWhatRedisRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", " 1", "1 ", "x", "-", "+", "+-1", ".", "e5", "1e", "1e+", "1e5.5", "0x", "0x.p1", "0x1p", "1x", "1_0", "1,5", "nan", "-NaN", "nan(1)",
		"infinityx", "in", "1\x00", "\x001", "1e4933", "-1e5000", "1e-4952", "1e99999999999999999999", "0x1p16384", "0x1p-16447", "1..2", "1.2.3",
		strings.Repeat("1", maxNumber), strings.Repeat("0", maxNumber+1),
	} {
		if _, err := parseLongDouble([]byte(in)); !errors.Is(err, ErrNotFloat) {
			t.Errorf("%.40q: got %v, want %v", in, err, ErrNotFloat)
		}
	}
	for _, pair := range [][2]string{{"inf", "1"}, {"1", "-Infinity"}, {"inf", "-inf"}, {"1.1e4932", "1.1e4932"}} {
		a, errA := parseLongDouble([]byte(pair[0]))
		b, errB := parseLongDouble([]byte(pair[1]))
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if _, err := a.add(b); !errors.Is(err, ErrInfinite) {
			t.Errorf("%s + %s: got %v, want %v", pair[0], pair[1], err, ErrInfinite)
		}
	}
}
