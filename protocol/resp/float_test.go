package resp_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/conversation"
	"fanfare/internal/place"
)

const floatPairs = 10_000

// The C library's long double decides what INCRBYFLOAT reads and prints; this asks it about numbers of
// all shapes, sizes and lengths, and about texts that are nearly numbers.
func TestFloatsAreReadAndPrintedAsRedisDoes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	g := &generator{rand: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // G404: a test's stream, not a secret
	p := dialPair(t, conversation.Redis(t), serve(t, place.TCP(t)), 3)
	const perBatch = 50
	for range floatPairs / perBatch {
		var batch [][]string
		for range perBatch {
			batch = append(batch, []string{"SET", "f", g.float()}, []string{"INCRBYFLOAT", "f", g.float()})
		}
		want, got := p[0].exchange(t, batch), p[1].exchange(t, batch)
		for i := 1; i < len(batch); i += 2 {
			if got[i].Kind != want[i].Kind || got[i].Text != want[i].Text {
				t.Fatalf("seed %d: %.300q + %.300q:\n\tgot  %s\n\twant %s", seed, batch[i-1][2], batch[i][2], got[i], want[i])
			}
		}
	}
}

// float makes the text of a number, or of what one slip makes of it.
func (g *generator) float() string {
	text := g.one("", "", "", "-", "+") + g.unsigned()
	if g.chance(25) {
		at := g.rand.IntN(len(text) + 1)
		text = text[:at] + g.one("", " ", "x", "-", ".", "e", "\x00", "_") + text[min(at+g.rand.IntN(2), len(text)):]
	}
	return text
}

func (g *generator) unsigned() string {
	switch g.rand.IntN(12) {
	case 0:
		return g.one("inf", "Infinity", "nan", "0", "0x0p0", "0e5000", ".", "1e-4950", "3.6e-4951", "1.8e-4951", "1.2e4932", "1.1897314953572317650e4932")
	case 1: // about 64 bits
		return strconv.FormatUint(1<<63+g.rand.Uint64N(1<<63), 10) + g.one("", ".5", "0", "00.25", "1")
	case 2:
		return g.one("0x", "0X") + g.digits("0123456789abcdefABCDEF", 20) + g.exponent("p", 16400)
	case 3: // long, and far from every float
		return g.digits("0123456789", 400) + "." + g.digits("0123456789", 400)
	case 4:
		return g.digits("0123456789", 30) + g.exponent("e", 4960)
	case 5:
		return strings.Repeat("9", 1+g.rand.IntN(30)) + "." + strings.Repeat("9", 1+g.rand.IntN(30))
	case 6: // half of the last digit printed
		return g.digits("0123456789", 3) + "." + g.digits("05", 18)
	case 7:
		return strconv.FormatFloat(g.rand.NormFloat64()*1e6, g.one("e", "f", "g")[0], -1, 64)
	}
	return strconv.Itoa(g.rand.IntN(1000)) + "." + g.digits("0123456789", 4)
}

func (g *generator) digits(of string, most int) string {
	b := make([]byte, 1+g.rand.IntN(most))
	for i := range b {
		b[i] = of[g.rand.IntN(len(of))]
	}
	if len(b) > 3 && g.chance(3) {
		b[len(b)/2] = '.'
	}
	return string(b)
}

func (g *generator) exponent(marker string, most int) string {
	if g.chance(2) {
		most = 30
	}
	return g.one(marker, strings.ToUpper(marker)) + g.one("", "+", "-") + strconv.Itoa(g.rand.IntN(most))
}
