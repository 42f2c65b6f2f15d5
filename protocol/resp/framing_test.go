package resp

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/tidwall/redcon"

	"fanfare/protocol/outbound"
)

var testLimits = inputLimits{args: 1 << 20, bulk: 64 << 20, command: 64 << 20, inline: 64 << 10}

var testLimitsBefore = inputLimits{args: 10, bulk: 16 << 10, command: 160 << 10, inline: 16 << 10, unauthenticated: true}

func newGuard(limits inputLimits) *guard { return &guard{limits: limits, bulk: -1} }

// feed gives the guard a copy of input in a pooled buffer.
func feed(g *guard, input []byte) {
	b := outbound.Buffer()
	*b = append(*b, input...)
	g.feed(b)
}

// split feeds input to a guard in pieces of the given sizes, repeated, and
// returns the commands as quoted text.
func split(t testing.TB, limits inputLimits, input []byte, sizes ...int) ([]string, error) {
	t.Helper()
	g := newGuard(limits)
	var commands []string
	for i := 0; len(input) > 0; i++ {
		n := min(max(1, sizes[i%len(sizes)]), len(input), 64<<10)
		feed(g, input[:n])
		input = input[n:]
		for {
			args, err := g.next()
			if err != nil {
				return commands, err
			}
			if args == nil {
				break
			}
			commands = append(commands, fmt.Sprintf("%q", args))
		}
		g.release()
	}
	return commands, nil
}

func TestGuardSplitsCommands(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, input, want string }{
		{"multi-bulk", "*2\r\n$4\r\nPING\r\n$1\r\nx\r\n", `["PING" "x"]`},
		{"binary and empty arguments", "*3\r\n$2\r\n\r\n\r\n$0\r\n\r\n$1\r\n\x00\r\n", `["\r\n" "" "\x00"]`},
		{"pipeline", "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n", `["a"]["b"]`},
		{"no arguments are ignored", "*0\r\n*-1\r\n*-10\r\n*1\r\n$1\r\na\r\n", `["a"]`},
		{"empty lines are ignored", "\r\n\n   \r\nPING\r\n", `["PING"]`},
		{"inline with line feed only", "PING  a\n", `["PING" "a"]`},
		{"inline between multi-bulk", "*1\r\n$1\r\na\r\nPING\r\n*1\r\n$1\r\nb\r\n", `["a"]["PING"]["b"]`},
		{"lengths of four and five digits", "*2\r\n$4\r\nPING\r\n$1000\r\n" + strings.Repeat("a", 1000) + "\r\n*1\r\n$10000\r\n" + strings.Repeat("b", 10000) + "\r\n",
			`["PING" "` + strings.Repeat("a", 1000) + `"]["` + strings.Repeat("b", 10000) + `"]`},
		{"incomplete command", "*2\r\n$4\r\nPING\r\n$1\r\nx\r", ``},
		{"incomplete inline", "PING", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 2, 3, 7, 1 << 20} {
				got, err := split(t, testLimits, []byte(tt.input), size)
				if err != nil {
					t.Fatalf("in pieces of %d: %v", size, err)
				}
				if got := strings.Join(got, ""); got != tt.want {
					t.Errorf("in pieces of %d: got %s, want %s", size, got, tt.want)
				}
			}
		})
	}
}

func TestGuardRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, input, want string
		limits            inputLimits
	}{
		{"length that overflows (R1)", "*1\r\n$9223372036854775807\r\n", "invalid bulk length", testLimits},
		{"endless count (R2)", "*9223372036854775807\r\n", "invalid multibulk length", testLimits},
		{"count over the limit (R3)", "*1000000000\r\n", "invalid multibulk length", testLimits},
		{"count just over the limit", "*1048577\r\n", "invalid multibulk length", testLimits},
		{"count that is no number", "*1x\r\n", "invalid multibulk length", testLimits},
		{"count without digits", "*\r\n", "invalid multibulk length", testLimits},
		{"count with leading zero", "*01\r\n", "invalid multibulk length", testLimits},
		{"count with plus sign", "*+1\r\n", "invalid multibulk length", testLimits},
		{"count of eleven digits", "*00000000001\r\n", "invalid multibulk length", testLimits},
		{"count without digits that looks complete", "*\r\n\r\n", "invalid multibulk length", testLimits},
		{"count with a colon", "*1:\r\n", "invalid multibulk length", testLimits},
		{"count with a carriage return inside", "*1\r1\r\n", "invalid multibulk length", testLimits},
		{"bulk of five digits longer than announced", "*1\r\n$10000\r\n" + strings.Repeat("x", 10001) + "\r\n", "invalid bulk length", testLimits},
		{"count without carriage return", "*1\n$1\n", "invalid multibulk length", testLimits},
		{"bulk over the limit", "*1\r\n$67108865\r\n", "invalid bulk length", testLimits},
		{"negative bulk", "*1\r\n$-1\r\n", "invalid bulk length", testLimits},
		{"bulk with leading zero", "*1\r\n$03\r\n", "invalid bulk length", testLimits},
		{"bulk longer than announced", "*1\r\n$3\r\nPINGS\r\n", "invalid bulk length", testLimits},
		{"bulk without dollar", "*1\r\nPING\r\n", "expected '$', got 'P'", testLimits},
		{"command over the limit", "*2\r\n$1\r\nx\r\n$67108864\r\n", "command is longer than max-command", testLimits},
		{"inline over the limit", strings.Repeat("a", 64<<10+1), "too big inline request", testLimits},
		{"complete inline over the limit", strings.Repeat("a", 64<<10+1) + "\n", "too big inline request", testLimits},
		{"count line over the limit", "*" + strings.Repeat("1", 64<<10), "too big mbulk count string", testLimits},
		{"bulk line over the limit", "*1\r\n$" + strings.Repeat("1", 64<<10), "too big bulk count string", testLimits},
		{"unbalanced quotes", "PING \"a\r\n", "unbalanced quotes in request", testLimits},
		{"eleven arguments before authentication", "*11\r\n", "unauthenticated multibulk length", testLimitsBefore},
		{"17 KiB before authentication", "*2\r\n$4\r\nAUTH\r\n$16385\r\n", "unauthenticated bulk length", testLimitsBefore},
		{"long line before authentication", strings.Repeat("a", 16<<10+1), "too big inline request", testLimitsBefore},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{1, 5, 1 << 20} {
				_, err := split(t, tt.limits, []byte(tt.input), size)
				var v *violation
				if !errors.As(err, &v) || v.text != tt.want {
					t.Errorf("in pieces of %d: got %v, want %s", size, err, tt.want)
				}
			}
		})
	}
}

func TestGuardGivesBuffersBack(t *testing.T) {
	t.Parallel()
	g := newGuard(testLimits)
	input := []byte("*2\r\n$3\r\nGET\r\n$1000000\r\n" + strings.Repeat("x", 1000000) + "\r\n")
	for _, part := range [][]byte{input[:5], input[5:30], input[30:]} {
		feed(g, part)
	}
	if args, err := g.next(); err != nil || len(args) != 2 {
		t.Fatalf("got %d arguments, error %v", len(args), err)
	}
	g.release()
	if g.buf != nil || g.pooled != nil {
		t.Errorf("a guard without input keeps %d bytes", cap(g.buf))
	}
	for _, arg := range g.args[:cap(g.args)] {
		if arg != nil {
			t.Error("an old argument keeps its buffer alive")
		}
	}
}

func TestGuardMemoryFollowsBytesReceived(t *testing.T) {
	t.Parallel()
	g := newGuard(testLimits)
	feed(g, []byte("*1000000\r\n$67108000\r\n"))
	if _, err := g.next(); err != nil {
		t.Fatal(err)
	}
	received := 20
	for range 200 {
		feed(g, make([]byte, 1000))
		received += 1000
		if _, err := g.next(); err != nil {
			t.Fatal(err)
		}
		if cap(g.buf) > 2*received+smallInput {
			t.Fatalf("%d bytes received, memory of %d", received, cap(g.buf))
		}
	}
}

// A trickled command must cost O(bytes): what was found complete is not looked
// for again.
func TestGuardTrickledInputIsNotRescanned(t *testing.T) {
	t.Parallel()
	const words = 2000
	g := newGuard(testLimits)
	feed(g, []byte("*2000\r\n"))
	for i := range words {
		for _, part := range []string{"$1", "\r\n", "x", "\r\n"} {
			if args, err := g.next(); args != nil || err != nil {
				t.Fatalf("after %d words: %q, %v", i, args, err)
			}
			if g.found != i {
				t.Fatalf("after %d words the scan is at word %d", i, g.found)
			}
			feed(g, []byte(part))
		}
	}
	if args, err := g.next(); len(args) != words || err != nil {
		t.Errorf("got %d arguments, %v", len(args), err)
	}
}

func TestGuardParsesPublishWithoutAllocation(t *testing.T) {
	g := newGuard(testLimits)
	input := []byte("*3\r\n$7\r\nPUBLISH\r\n$4\r\nchat\r\n$5\r\nhello\r\n")
	if got := testing.AllocsPerRun(1000, func() {
		feed(g, input)
		if args, err := g.next(); err != nil || len(args) != 3 {
			t.Fatal(args, err)
		}
		g.release()
	}); got != 0 {
		t.Errorf("got %v allocations per PUBLISH, want 0", got)
	}
}

// FuzzGuard: the guard never panics, agrees with redcon on legal multi-bulk
// input, finds the same commands however the input is cut, and its memory
// follows the bytes received.
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{
		"*1\r\n$4\r\nPING\r\n", "*1\r\n$9223372036854775807\r\n", "*9223372036854775807\r\n",
		"PING a 'b' \"c\\x41\"\r\n", "*-1\r\n*0\r\n\r\n*2\r\n$0\r\n\r\n$2\r\n\r\n\r\n", "*1\n$1\r\n", "*3\r\n$1\r\na\r\n$",
	} {
		f.Add([]byte(seed), uint8(1), uint8(3))
	}
	f.Fuzz(func(t *testing.T, input []byte, a, b uint8) {
		whole, wholeErr := split(t, testLimits, input, 1<<20)
		cut, cutErr := split(t, testLimits, input, int(a), int(b))
		if fmt.Sprint(whole, wholeErr) != fmt.Sprint(cut, cutErr) {
			t.Errorf("whole: %v %v\ncut:   %v %v", whole, wholeErr, cut, cutErr)
		}
		checkAgainstRedcon(t, input)
	})
}

func checkAgainstRedcon(t *testing.T, input []byte) {
	g := newGuard(testLimits)
	feed(g, input)
	for rest := input; len(rest) > 0 && rest[0] == '*' && !hostile(rest); {
		got, err := g.next()
		complete, want, _, left, wantErr := redcon.ReadNextCommand(rest, nil)
		switch {
		case err != nil || wantErr != nil || !complete || got == nil || len(want) == 0:
			return
		case fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want):
			t.Fatalf("got %q, redcon %q", got, want)
		}
		rest = left
	}
}

// hostile says whether redcon must not see the input.
func hostile(input []byte) bool {
	digits := 0
	for _, ch := range input {
		if ch < '0' || ch > '9' {
			digits = 0
			continue
		}
		if digits++; digits > 5 {
			return true
		}
	}
	return false
}

func BenchmarkGuard(b *testing.B) {
	input := bytes.Repeat([]byte("*3\r\n$7\r\nPUBLISH\r\n$4\r\nchat\r\n$128\r\n"+strings.Repeat("x", 128)+"\r\n"), 100)
	b.SetBytes(int64(len(input) / 100))
	g := newGuard(testLimits)
	for i := 0; i < b.N; i += 100 {
		feed(g, input)
		for range 100 {
			if args, err := g.next(); err != nil || len(args) != 3 {
				b.Fatal(args, err)
			}
		}
		g.release()
	}
	runtime.KeepAlive(g)
}
