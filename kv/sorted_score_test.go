package kv

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The texts follow from the rule that Redis 7.2 has: d2string and, where that has no
// integer, fpconv's layout of the fewest digits.
func TestScoresAreWrittenAsRedis72Does(t *testing.T) {
	t.Parallel()
	for want, score := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1": 1, "-17": -17, "inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(),
		"0.5": 0.5, "-1.25": -1.25, "0.1": 0.1, "3.14159": 3.14159, "0.30000000000000004": 0.30000000000000004,
		"4503599627370495":         1<<52 - 1,
		"4503599627370496":         1 << 52,
		"9007199254740992":         1 << 53,
		"1e+20":                    1e20,
		"1e+21":                    1e21,
		"1.5e+300":                 1.5e300,
		"1e+17":                    1e17,
		"1.2e+20":                  1.2e20,
		"123456789012345680000":    123456789012345680000,
		"0.0001":                   1e-4,
		"0.00001":                  1e-5,
		"0.000001":                 1e-6,
		"1e-7":                     1e-7,
		"1.5e-7":                   1.5e-7,
		"0.001234567890123":        0.001234567890123,
		"0.01234567890123":         0.01234567890123,
		"1.234567890123e-4":        0.0001234567890123,
		"123456.789":               123456.789,
		"5e-324":                   5e-324,
		"1.7976931348623157e+308":  math.MaxFloat64,
		"-1.7976931348623157e+308": -math.MaxFloat64,
	} {
		if got := string(AppendScore([]byte("x"), score)); got != "x"+want {
			t.Errorf("got %s, want x%s", got, want)
		}
	}
}

func TestAWrittenScoreReadsBackAsTheSame(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 100_000 {
		score := math.Float64frombits(rnd.Uint64())
		switch rnd.IntN(4) {
		case 0:
			score = float64(rnd.IntN(1_000_000)) / 1000
		case 1:
			score = math.Round(rnd.NormFloat64() * math.Pow10(rnd.IntN(25)))
		}
		if math.IsNaN(score) {
			continue
		}
		text := AppendScore(nil, score)
		if got, err := ParseScore(text); err != nil || math.Float64bits(got) != math.Float64bits(score) || len(text) > 25 {
			t.Fatalf("seed %d: %v is written %s, which reads as %v, %v", seed, score, text, got, err)
		}
	}
}

func TestWhatIsNoScore(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", " 1", "1 ", "x", "nan", "-nan", "1e", "e1", ".", "+", "+-1", "1_0", "0x", "0x1_0p1", "0xp1", "1e400", "-1e400",
		"1e-400", "0x1p-2000", "0x1p2000", "1\x00", "infin", "inff", strings.Repeat("9", 400),
	} {
		if got, err := ParseScore([]byte(text)); !errors.Is(err, ErrNotFloat) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, ErrNotFloat)
		}
	}
	for text, want := range map[string]float64{
		"0": 0, "-0": 0, "1": 1, "+1": 1, "007": 7, ".5": 0.5, "5.": 5, "1e3": 1000, "1E+3": 1000, "0x10": 16, "0X1P-1": 0.5, "0x.8": 0.5,
		"0x1.": 1, "inf": math.Inf(1), "-Infinity": math.Inf(-1), "+INF": math.Inf(1), "0e999": 0, "0x0p9": 0, "4.9e-324": 5e-324,
		strings.Repeat("0", 400) + "1": 1, "0." + strings.Repeat("0", 300) + "1": 1e-301,
	} {
		if got, err := ParseScore([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestBoundsOfScores(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ScoreBound{
		"1": {1, false}, "(1": {1, true}, "": {}, "(": {0, true}, " 1": {1, false}, "(\t2": {2, true},
		"1e400": {math.Inf(1), false}, "-1e400": {math.Inf(-1), false}, "1e-400": {0, false}, "(-inf": {math.Inf(-1), true},
	} {
		if got, err := ParseScoreBound([]byte(text)); err != nil || got != want {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "((1", "1 ", " ", "( ", "nan", "[1", "1("} {
		if got, err := ParseScoreBound([]byte(text)); !errors.Is(err, ErrScoreBound) {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, ErrScoreBound)
		}
	}
}

func FuzzParseScore(f *testing.F) {
	for _, text := range []string{"1", "-0x1.8p3", "inf", "1e400", "1_0", "", "0x"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := ParseScore(text)
		if err != nil {
			return
		}
		if math.IsNaN(got) {
			t.Fatalf("%q is NaN", text)
		}
		if want, err := strconv.ParseFloat(string(text), 64); err == nil && want != got {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
		if again, err := ParseScore(AppendScore(nil, got)); err != nil || again != got {
			t.Fatalf("%q: %v is written and read as %v, %v", text, got, again, err)
		}
	})
}
