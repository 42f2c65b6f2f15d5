package topic

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const goldenFile = "testdata/redis-globs.txt"

var generate = flag.Bool("generate", false, "ask redis-server for the golden table anew")

type goldenRow struct {
	pattern, channel string
	matches          bool
}

func (g goldenRow) isOf(pair [2]string) bool { return g.pattern == pair[0] && g.channel == pair[1] }

// What redis-server answered is what Match answers. With -generate the
// table is made anew, from the redis-server that is installed.
func TestGoldenTableOfRedisHolds(t *testing.T) {
	if *generate {
		generateGolden(t)
	}
	rows := readGolden(t)
	if len(rows) < 3000 {
		t.Fatalf("got %d rows, want at least 3000", len(rows))
	}
	if pairs := goldenPairs(); !slices.EqualFunc(rows, pairs, goldenRow.isOf) {
		t.Errorf("the table has other pairs than quirks_test.go and random_test.go make: generate it anew")
	}
	for _, row := range rows {
		p := Compile(row.pattern)
		if got := p.MatchString(row.channel); got != row.matches {
			t.Errorf("Compile(%q).MatchString(%q) got %v, want %v", row.pattern, row.channel, got, row.matches)
		}
		if got := p.Match([]byte(row.channel)); got != row.matches {
			t.Errorf("Compile(%q).Match(%q) got %v, want %v", row.pattern, row.channel, got, row.matches)
		}
	}
}

// The index answers every row as the matcher does, all patterns at once.
func TestGoldenTableHoldsInTheIndex(t *testing.T) {
	t.Parallel()
	rows := readGolden(t)
	x := NewIndex[int]()
	ids := map[string]int{}
	for _, row := range rows {
		if _, ok := ids[row.pattern]; !ok {
			ids[row.pattern] = len(ids)
			x.Add(Compile(row.pattern), ids[row.pattern])
		}
	}
	s := x.Commit()
	for _, row := range rows {
		found := slices.Contains(s.Match(nil, []byte(row.channel)), ids[row.pattern])
		if found != row.matches {
			t.Errorf("index with %q, channel %q: got %v, want %v", row.pattern, row.channel, found, row.matches)
		}
	}
}

// The oracle the fuzz tests trust agrees with redis-server too.
func TestGoldenTableHoldsForTheOracle(t *testing.T) {
	t.Parallel()
	for _, row := range readGolden(t) {
		if len(row.pattern) > 500 && row.matches {
			continue // the oracle's memory of a thousand stars squared
		}
		if got := oracle(row.pattern, row.channel); got != row.matches {
			t.Errorf("oracle(%q, %q) got %v, want %v", row.pattern, row.channel, got, row.matches)
		}
	}
}

func readGolden(t *testing.T) []goldenRow {
	t.Helper()
	file, err := os.Open(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var rows []goldenRow
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := lines.Text(); !strings.HasPrefix(line, "#") {
			rows = append(rows, parseGolden(t, line))
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}

func parseGolden(t *testing.T, line string) goldenRow {
	t.Helper()
	fields := strings.Split(line, "\t")
	if len(fields) != 3 {
		t.Fatalf("golden row %q: got %d fields, want 3", line, len(fields))
	}
	pattern, err1 := strconv.Unquote(fields[0])
	channel, err2 := strconv.Unquote(fields[1])
	matches, err3 := strconv.ParseBool(fields[2])
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatalf("golden row %q: %v %v %v", line, err1, err2, err3)
	}
	return goldenRow{pattern, channel, matches}
}

// goldenPairs returns the pairs of the table: every quirk, then random ones.
func goldenPairs() [][2]string {
	pairs := quirks()
	total := len(pairs) + 3600
	seen := map[[2]string]bool{}
	r := newRand(7)
	for i := 0; len(pairs) < total; i++ {
		alphabet := alphabets[i%len(alphabets)]
		pattern := randomText(r, alphabet, 10)
		name := likelyName(r, pattern, alphabet)
		if i%4 == 0 {
			name = randomText(r, alphabet, 8)
		}
		if pair := [2]string{pattern, name}; !seen[pair] {
			seen[pair] = true
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

func generateGolden(t *testing.T) {
	t.Helper()
	r := startRedis(t)
	pairs := goldenPairs()
	var b strings.Builder
	fmt.Fprintf(&b, "# Globs as redis-server %s (x86) matches them: pattern, channel, whether PUBLISH reached PSUBSCRIBE.\n", r.version)
	b.WriteString("# Made by: go test ./topic -run TestGolden -generate\n")
	random, hits, fixed := 0, 0, len(quirks())
	for i, pair := range pairs {
		matches := r.matches(pair[0], pair[1])
		fmt.Fprintf(&b, "%s\t%s\t%v\n", strconv.Quote(pair[0]), strconv.Quote(pair[1]), matches)
		if i >= fixed {
			random++
			if matches {
				hits++
			}
		}
	}
	if hits*10 < random*3 {
		t.Fatalf("%d of %d random rows match, want at least 30 %%", hits, random)
	}
	t.Logf("%d rows, %d of %d random ones match", len(pairs), hits, random)
	if err := os.WriteFile(goldenFile, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
