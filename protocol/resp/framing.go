package resp

import (
	"bytes"

	"github.com/tidwall/redcon"

	"fanfare/protocol/outbound"
)

// inputLimits bound what a peer may send. They are small before authentication.
type inputLimits struct {
	args    int // arguments of one command
	bulk    int // bytes of one argument
	command int // bytes of all arguments of one command
	inline  int // bytes of an inline command, or of a length line
	// unauthenticated selects the error texts for limits passed before
	// authentication.
	unauthenticated bool
}

// guard splits a connection's input into commands. It stands before redcon,
// whose parsers must not see raw input: twenty-six bytes make its reader index
// out of range, and none of them has a limit. Every length is checked before
// anything is allocated for it, and only a complete and legal multi-bulk
// command is handed to redcon.ReadNextCommand.
//
// Each byte is looked at a bounded number of times, however the input is cut
// into reads: an incomplete command is resumed where the last read ended.
// Commands are split where they were read to, in a pooled buffer; only the
// beginning of an incomplete one is kept in memory of the guard's own, which
// grows with the bytes received, never with the bytes announced.
type guard struct {
	limits inputLimits

	buf    []byte  // buf[start:] is input that was not returned yet
	start  int     //
	pooled *[]byte // what buf belongs to; nil: it is the guard's own

	// The state of the incomplete command at start.
	pos   int // the next byte to look at
	count int // arguments announced; 0: the length line is not complete
	found int // arguments whose bytes are complete
	bulk  int // bytes of the current argument, whose first one is at pos; -1: its length line is not complete
	total int // bytes of all arguments so far
	// searched is how far the line at pos was searched for its end.
	searched int

	args [][]byte // reused
}

// feed gives the guard a pooled buffer with input. The arguments that next
// returned are no longer valid after it.
func (g *guard) feed(input *[]byte) {
	if !g.partial() {
		g.release()
		g.buf, g.pooled = *input, input
		return
	}
	g.keep()
	g.reserve(len(*input))
	g.buf = append(g.buf, *input...)
	outbound.Recycle(input)
}

// smallInput is the least memory that the beginning of a command is kept in.
const smallInput = 256

// release gives the buffer back. The beginning of an incomplete command is kept
// elsewhere. The arguments that next returned are no longer valid after it.
func (g *guard) release() {
	if g.partial() {
		g.keep()
		return
	}
	g.recycle()
	g.buf, g.start, g.pos, g.searched = nil, 0, 0, 0
	if cap(g.args) > keptArgs {
		g.args = nil
	}
	clear(g.args[:cap(g.args)]) // an idle connection must not keep a buffer alive by an old argument
}

// drop forgets the input between two commands.
func (g *guard) drop() { g.start, g.pos, g.searched = len(g.buf), len(g.buf), 0 }

// keptArgs bounds the list of arguments a connection keeps between commands.
const keptArgs = 16

// keep moves what is left in a pooled buffer to memory of the guard's own.
func (g *guard) keep() {
	if g.pooled != nil {
		g.move(make([]byte, 0, max(g.held()+g.held()/4, smallInput)))
	}
}

// reserve makes room for n more bytes: in the space before start, or by doubling
// the memory, but not beyond the end of the argument that is being read.
func (g *guard) reserve(n int) {
	switch need := g.held() + n; {
	case len(g.buf)+n <= cap(g.buf):
	case g.start >= cap(g.buf)/2 && need <= cap(g.buf):
		g.move(g.buf[:0])
	default:
		size := 2 * cap(g.buf)
		if g.bulk >= 0 {
			size = min(size, g.pos-g.start+g.bulk+len("\r\n"))
		}
		g.move(make([]byte, 0, max(size, need)))
	}
}

// move moves the input that is left to the beginning of buf.
func (g *guard) move(buf []byte) {
	buf = append(buf, g.buf[g.start:]...)
	g.recycle()
	g.buf, g.pos, g.searched, g.start = buf, g.pos-g.start, max(g.searched-g.start, 0), 0
}

func (g *guard) recycle() {
	if g.pooled != nil {
		outbound.Recycle(g.pooled)
		g.pooled = nil
	}
}

// partial says whether the beginning of a command waits for its rest.
func (g *guard) partial() bool { return g.start < len(g.buf) }

// held returns the bytes of input that wait for more.
func (g *guard) held() int { return len(g.buf) - g.start }

// next returns the next complete command, or nil where more input is needed.
// Empty commands are skipped. After an error the connection must be closed.
func (g *guard) next() ([][]byte, error) {
	for g.partial() {
		var args [][]byte
		var done bool
		var err error
		if g.buf[g.start] == '*' {
			args, done, err = g.multibulk()
		} else {
			args, done, err = g.inline()
		}
		if err != nil || !done {
			return nil, err
		}
		g.start, g.count, g.found, g.bulk, g.total = g.pos, 0, 0, -1, 0
		if len(args) > 0 {
			return args, nil
		}
	}
	return nil, nil
}

// inline reads a command that is one line of words.
func (g *guard) inline() (args [][]byte, done bool, err error) {
	line, err := g.line(inputInline)
	if line == nil || err != nil {
		return nil, false, err
	}
	args, ok := splitWords(g.args[:0], bytes.TrimSuffix(line, []byte("\r")))
	if !ok {
		return nil, false, errQuotes
	}
	g.args = args
	return args, true, nil
}

// multibulk reads a command in the form of an array of bulk strings.
func (g *guard) multibulk() (args [][]byte, done bool, err error) {
	if g.count == 0 {
		n, done, err := g.length(inputMultibulk)
		if !done || err != nil || n <= 0 {
			return nil, done, err
		}
		g.count = n
	}
	for ; g.found < g.count; g.found++ {
		if done, err := g.argument(); !done || err != nil {
			return nil, false, err
		}
	}
	complete, args, _, rest, err := redcon.ReadNextCommand(g.buf[g.start:g.pos], g.args[:0])
	if err != nil || !complete || len(rest) > 0 {
		return nil, false, errBulkLength
	}
	g.args = args
	return args, true, nil
}

// argument steps over one bulk string.
func (g *guard) argument() (done bool, err error) {
	if g.bulk < 0 {
		if g.pos == len(g.buf) {
			return false, nil
		}
		if g.buf[g.pos] != '$' {
			return false, expectedDollar(g.buf[g.pos])
		}
		n, done, err := g.length(inputBulk)
		if !done || err != nil {
			return false, err
		}
		g.bulk = n
		g.total += n
	}
	if len(g.buf)-g.pos < g.bulk+len("\r\n") {
		return false, nil
	}
	end := g.pos + g.bulk
	if g.buf[end] != '\r' || g.buf[end+1] != '\n' {
		return false, errBulkLength
	}
	g.pos, g.bulk = end+len("\r\n"), -1
	return true, nil
}

// inputKind is what a line of input is.
type inputKind uint8

const (
	inputInline    inputKind = iota // words
	inputMultibulk                  // "*3"
	inputBulk                       // "$5"
)

// line returns the line at the scan position without its line feed and steps
// over it; nil where it is not complete. What was searched is not searched
// again.
func (g *guard) line(kind inputKind) ([]byte, error) {
	from := max(g.pos, g.searched)
	n := bytes.IndexByte(g.buf[from:], '\n')
	if n < 0 {
		g.searched = len(g.buf)
		if len(g.buf)-g.pos > g.limits.inline {
			return nil, tooBigLine[kind]
		}
		return nil, nil
	}
	line := g.buf[g.pos : from+n]
	if len(line) > g.limits.inline {
		return nil, tooBigLine[kind]
	}
	g.pos, g.searched = from+n+1, 0
	return line, nil
}

// length reads a line of the form "*3" or "$5". A negative number of arguments
// is legal and means none.
func (g *guard) length(kind inputKind) (n int, done bool, err error) {
	n, size := shortLength(g.buf[g.pos:])
	ok := size > 0
	if ok {
		g.pos, g.searched = g.pos+size, 0
	} else {
		line, err := g.line(kind)
		if line == nil || err != nil {
			return 0, false, err
		}
		n, ok = parseLength(line[1:])
	}
	switch {
	case !ok:
		return 0, false, invalidLength[kind]
	case kind == inputBulk:
		return n, true, g.checkBulk(n)
	default:
		return n, true, g.checkCount(n)
	}
}

// shortLength reads a complete length line of one to four digits, which is nearly
// every one, and returns its size; 0: it is another.
func shortLength(b []byte) (n, size int) {
	if len(b) < len("$0\r\n") || b[1] == '0' {
		return 0, 0
	}
	for i := 1; i < min(len(b)-1, len("$1234\r")); i++ {
		switch ch := b[i]; {
		case '0' <= ch && ch <= '9' && i < len("$1234"):
			n = 10*n + int(ch-'0')
		case ch == '\r' && b[i+1] == '\n' && i > 1:
			return n, i + len("\r\n")
		default:
			return 0, 0
		}
	}
	return 0, 0
}

func (g *guard) checkCount(n int) error {
	switch {
	case n <= g.limits.args:
		return nil
	case g.limits.unauthenticated:
		return errUnauthenticatedMultibulk
	}
	return errMultibulkLength
}

func (g *guard) checkBulk(n int) error {
	switch {
	case n < 0:
		return errBulkLength
	case n <= g.limits.bulk && g.total+n <= g.limits.command:
		return nil
	case g.limits.unauthenticated:
		return errUnauthenticatedBulk
	case n <= g.limits.bulk:
		return errCommandSize
	}
	return errBulkLength
}

// parseLength reads the digits of a length line, which end in a carriage
// return: at most ten of them, without sign (but for a minus), blanks or leading
// zeros.
func parseLength(b []byte) (n int, ok bool) {
	if len(b) == 0 || b[len(b)-1] != '\r' {
		return 0, false
	}
	v, ok := parseInt(b[:len(b)-1])
	if !ok || v > 1<<31-1 || v < -(1<<31-1) {
		return 0, false
	}
	return int(v), true
}
