package resp

import "fanfare/kv"

func init() {
	register(&command{
		name: "lcs", arity: -3, flags: flagReadonly, keys: keySpec{first: 1, last: 2, step: 1, access: "RO access"},
		acl: "string", group: "string", since: "7.0.0", complexity: "O(N*M) for strings of N and M bytes",
		summary: "Returns the longest common subsequence of two strings, its length, or where it is in both.",
		run:     lcs,
	})
}

// lcsOptions is what LCS asks for.
type lcsOptions struct {
	length, index, matchLength bool
	least                      int64 // of the bytes of a match that is listed
}

// lcs answers LCS key key [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]. As in Redis the
// keys are looked at before the options.
func lcs(x *call) {
	a, _, errA := x.tx.Get(x.db, x.args[1])
	b, _, errB := x.tx.Get(x.db, x.args[2])
	if errA != nil || errB != nil {
		x.w.Error("ERR The specified keys must contain string values")
		return
	}
	o, ok := readLCS(x)
	if !ok {
		return
	}
	if o.length && o.index {
		x.w.Error("ERR If you want both the length and indexes, please just use IDX.")
		return
	}
	cells := (int64(len(a)) + 1) * (int64(len(b)) + 1)
	if 4*cells > int64(x.conn.server.settings().maxBulk) {
		x.w.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
		return
	}
	m := newMatching(a, b)
	switch {
	case o.index:
		x.lcsMatches(m.runs(), &o, m.length())
	case o.length:
		x.w.Int(int64(m.length()))
	default:
		x.w.Bulk(m.text())
	}
}

// readLCS reads the options. When ok is false it has replied with an error.
func readLCS(x *call) (o lcsOptions, ok bool) {
	for i := 3; i < len(x.args); i++ {
		switch {
		case x.option(i, "LEN"):
			o.length = true
		case x.option(i, "IDX"):
			o.index = true
		case x.option(i, "WITHMATCHLEN"):
			o.matchLength = true
		case x.option(i, "MINMATCHLEN") && i+1 < len(x.args):
			i++
			n, err := kv.ParseInt(x.args[i])
			if err != nil {
				x.fail(err)
				return o, false
			}
			o.least = n
		default:
			x.syntaxError()
			return o, false
		}
	}
	return o, true
}

// lcsMatches writes where the runs are, the last one first, and the length of all.
func (x *call) lcsMatches(runs []lcsRun, o *lcsOptions, length int) {
	shown := runs[:0]
	for _, r := range runs {
		if int64(r.n) >= o.least {
			shown = append(shown, r)
		}
	}
	x.w.Map(2)
	x.w.BulkString("matches")
	x.w.Array(len(shown))
	for _, r := range shown {
		parts := 2
		if o.matchLength {
			parts = 3
		}
		x.w.Array(parts)
		for _, begin := range []int{r.a, r.b} {
			x.w.Array(2)
			x.w.Int(int64(begin))
			x.w.Int(int64(begin + r.n - 1))
		}
		if o.matchLength {
			x.w.Int(int64(r.n))
		}
	}
	x.w.BulkString("len")
	x.w.Int(int64(length))
}

// matching is the table of the longest common subsequences of all beginnings of two
// strings.
type matching struct {
	a, b  []byte
	cells []uint32 // a row for each beginning of a, of the lengths for each of b
}

// lcsRun is n consecutive bytes that both strings have, and where.
type lcsRun struct{ a, b, n int }

func newMatching(a, b []byte) *matching {
	m := &matching{a: a, b: b, cells: make([]uint32, (len(a)+1)*(len(b)+1))}
	width := len(b) + 1
	for i, ch := range a {
		above, row := m.cells[i*width:(i+1)*width], m.cells[(i+1)*width:(i+2)*width]
		for j := range b {
			if b[j] == ch {
				row[j+1] = above[j] + 1
			} else {
				row[j+1] = max(above[j+1], row[j])
			}
		}
	}
	return m
}

func (m *matching) at(i, j int) uint32 { return m.cells[i*(len(m.b)+1)+j] }

func (m *matching) length() int { return int(m.at(len(m.a), len(m.b))) }

// runs walks the table back from its end. Where two ways are as good it takes Redis'.
func (m *matching) runs() (runs []lcsRun) {
	for i, j := len(m.a), len(m.b); i > 0 && j > 0; {
		n := 0
		for i > 0 && j > 0 && m.a[i-1] == m.b[j-1] {
			i, j, n = i-1, j-1, n+1
		}
		switch {
		case n > 0:
			runs = append(runs, lcsRun{i, j, n})
		case m.at(i-1, j) > m.at(i, j-1):
			i--
		default:
			j--
		}
	}
	return runs
}

// text returns the subsequence.
func (m *matching) text() []byte {
	end := m.length()
	text := make([]byte, end)
	for _, r := range m.runs() {
		end -= copy(text[end-r.n:end], m.a[r.a:r.a+r.n])
	}
	return text
}
