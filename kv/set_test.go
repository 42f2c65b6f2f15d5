package kv

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// membersOf returns what SMembers says of a set, in order.
func membersOf(t *testing.T, tx *Tx, key string) []string {
	t.Helper()
	list, size := []string{}, 0
	err := tx.SMembers(0, []byte(key), func(n int) { size = n }, func(member []byte) bool {
		list = append(list, string(member))
		return true
	})
	if err != nil || size != len(list) {
		t.Fatalf("got %d members, %v, want %d", len(list), err, size)
	}
	slices.Sort(list)
	return list
}

func sortedKeys(m map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(m))...)
}

// randomMember is an integer of any width, or, if texts are wanted, sometimes none.
func randomMember(rnd *rand.Rand, texts bool, keep int) string {
	n := rnd.IntN(keep)
	switch {
	case texts && rnd.IntN(3) == 0:
		return "text" + strconv.Itoa(n)
	case texts && rnd.IntN(60) == 0:
		return "a member longer than the compact form has it"
	case rnd.IntN(8) == 0:
		return strconv.FormatInt(int64(n-keep/2)<<(8*rnd.IntN(7)), 10)
	}
	return strconv.Itoa(n - keep/2)
}

// setStep makes one change of a set and of the map that it should be.
func setStep(t *testing.T, tx *Tx, rnd *rand.Rand, want map[string]bool, m string) {
	t.Helper()
	key := []byte("s")
	var got, expected any
	var err error
	switch rnd.IntN(12) {
	case 0, 1, 2, 3, 4:
		got, err = tx.SAdd(0, key, keysOf(m, m))
		expected = 1
		if want[m] {
			expected = 0
		}
		want[m] = true
	case 5, 6:
		got, err = tx.SRem(0, key, keysOf(m, m))
		expected = 0
		if want[m] {
			expected = 1
		}
		delete(want, m)
	case 7:
		got, err = tx.SIsMember(0, key, []byte(m))
		expected = want[m]
	case 8:
		var popped []byte
		var ok bool
		popped, ok, err = tx.SPop(0, key)
		got, expected = ok && want[string(popped)], len(want) > 0
		delete(want, string(popped))
	case 9:
		if rnd.IntN(4) > 0 {
			return
		}
		count := int64(rnd.IntN(10))
		expected = min(int(count), len(want))
		err = tx.SPopCount(0, key, count, func(n int) { got = n }, func(member []byte) {
			if !want[string(member)] {
				t.Fatalf("%q was popped and was not there", member)
			}
			delete(want, string(member))
		})
		if err == nil && len(want) == 0 {
			return
		}
	default:
		got, err = tx.SCard(0, key)
		expected = len(want)
	}
	if err != nil || got != expected {
		t.Fatalf("got %v, %v, want %v", got, err, expected)
	}
}

func TestASetIsASetInEveryForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for seed := range uint64(10) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		s := newStore(Config{Compact: few})
		tx := s.BeginAll()
		want := map[string]bool{}
		for i := range 2000 {
			setStep(t, tx, rnd, want, randomMember(rnd, i/200%2 == 1, 5+i/40%50))
			e := tx.live(tx.find(0, []byte("s")))
			if (e == nil) != (len(want) == 0) {
				t.Fatalf("seed %d: the key exists: %v, with %d members", seed, e != nil, len(want))
			}
			if e == nil {
				continue
			}
			o := e.object()
			seen[o.encoding()] = true
			if i%10 != 0 {
				continue
			}
			if got := membersOf(t, tx, "s"); !slices.Equal(got, sortedKeys(want)) {
				t.Fatalf("seed %d, step %d: got %v, want %v", seed, i, got, want)
			}
			checkBytes(t, s)
			decoded, err := decodeObject(TypeSet, encoded(o), &few)
			if err != nil || decoded.len() != len(want) {
				t.Fatalf("decoded: got %v, %v", decoded, err)
			}
			c := o.clone()
			if got := recounts[TypeSet](c); got != c.bytes() || c.len() != len(want) {
				t.Fatalf("a copy: %d bytes, want %d", got, c.bytes())
			}
			if rnd.IntN(300) == 0 {
				tx.Delete(0, []byte("s"))
				clear(want)
			}
		}
		tx.End()
	}
	if len(seen) != 3 {
		t.Errorf("forms: got %v, want all three", seen)
	}
}

func TestASetOutgrowsItsFormAsRedisSays(t *testing.T) {
	t.Parallel()
	numbers := func(n int) (list [][]byte) {
		for i := range n {
			list = append(list, strconv.AppendInt(nil, int64(i), 10))
		}
		return list
	}
	long := bytes.Repeat([]byte("m"), 64)
	for _, tt := range []struct {
		rule, want string
		members    [][]byte
	}{
		{"integers", "intset", numbers(512)},
		{"too many integers", "hashtable", numbers(513)},
		{"a text among few integers", "listpack", append(numbers(127), []byte("x"))},
		{"a text among many", "hashtable", append(numbers(128), []byte("x"))},
		{"what is not the text of an integer", "listpack", keysOf("01")},
		{"not even zero", "listpack", keysOf("-0")},
		{"an integer of more than 64 bits", "listpack", keysOf("9223372036854775808")},
		{"the least and the greatest one", "intset", keysOf("-9223372036854775808", "9223372036854775807")},
		{"as many as are allowed", "listpack", append(keysOf("x"), numbers(127)...)},
		{"one more", "hashtable", append(keysOf("x"), numbers(128)...)},
		{"as long as is allowed", "listpack", [][]byte{long}},
		{"longer", "hashtable", [][]byte{append(long, 'x')}},
	} {
		s := newMemberSet()
		for _, m := range tt.members {
			s.add(m, &DefaultCompact)
		}
		if got := s.encoding(); got != tt.want || s.len() != len(tt.members) {
			t.Errorf("%s: got %s of %d, want %s of %d", tt.rule, got, s.len(), tt.want, len(tt.members))
		}
	}
}

func TestIntegersTakeWhatTheLargestNeeds(t *testing.T) {
	t.Parallel()
	s := &intset{width: narrow}
	for _, tt := range []struct {
		add   int64
		bytes int
	}{{32767, 2}, {-32768, 4}, {32768, 12}, {-1 << 31, 16}, {1 << 31, 40}, {-1 << 63, 48}, {1<<63 - 1, 56}, {0, 64}} {
		if !s.add(tt.add) || len(s.data) != tt.bytes || s.add(tt.add) {
			t.Errorf("%d: got %d bytes, want %d", tt.add, len(s.data), tt.bytes)
		}
	}
	var got []string
	s.each(func(m []byte) bool {
		got = append(got, string(m))
		return true
	})
	want := "[-9223372036854775808 -2147483648 -32768 0 32767 32768 2147483648 9223372036854775807]"
	if fmt.Sprint(got) != want {
		t.Errorf("got %v", got)
	}
}

func TestEveryMemberIsChosenAboutAsOften(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		form, prefix string
		members      int
	}{{"intset", "", 40}, {"listpack", "m", 40}, {"hashtable", "m", 400}} {
		for _, count := range []int64{0, 1, 15, -5, 350} {
			s := newStore(Config{})
			tx := s.BeginAll()
			for i := range tt.members {
				_, _ = tx.SAdd(0, []byte("s"), keysOf(tt.prefix+strconv.Itoa(i)))
			}
			times, drawn := map[string]int{}, 0
			for drawn < 200*tt.members {
				before := drawn
				list := map[string]bool{}
				visit := func(m []byte) bool {
					times[string(m)]++
					drawn++
					list[string(m)] = true
					return true
				}
				want := int64(0)
				if count == 0 {
					m, ok, err := tx.SRandMember(0, []byte("s"))
					if want = 1; !ok || err != nil || !visit(m) {
						t.Fatal(ok, err)
					}
				} else if err := tx.SRandMembers(0, []byte("s"), count, func(n int64) { want = n }, visit); err != nil {
					t.Fatal(err)
				}
				if n := drawn - before; int64(n) != want || count > 0 && len(list) != n {
					t.Fatalf("%s, count %d: got %d, of which %d differ, want %d", tt.form, count, n, len(list), want)
				}
			}
			for m, n := range times {
				fair := drawn / tt.members
				if n < fair/20 || n > 5*fair || len(times) != tt.members {
					t.Errorf("%s, count %d: %s was chosen %d times, want about %d", tt.form, count, m, n, fair)
				}
			}
			tx.End()
		}
	}
}

func FuzzDecodeSet(f *testing.F) {
	for _, list := range [][][]byte{keysOf("1", "-70000"), keysOf("a", "", "1"), keysOf("a member longer than the compact form has it")} {
		s := newMemberSet()
		for _, m := range list {
			s.add(m, &few)
		}
		f.Add(encoded(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := decodeObject(TypeSet, data, &few)
		if err != nil {
			if !errors.Is(err, ErrRecord) {
				t.Errorf("got %v", err)
			}
			return
		}
		if got := recounts[TypeSet](o); got != o.bytes() || got > 4096+int64(200*len(data)) {
			t.Errorf("%d bytes of %d, want %d", got, len(data), o.bytes())
		}
		again, err := decodeObject(TypeSet, encoded(o), &few)
		if err != nil || again.len() != o.len() {
			t.Errorf("again: got %v", err)
		}
	})
}

// Whoever makes the limits narrower finds what is there as it was until it grows.
func TestAMemberThatIsThereChangesNoForm(t *testing.T) {
	t.Parallel()
	for _, list := range [][][]byte{keysOf("1", "2", "3"), keysOf("a", "b", "c")} {
		s := newStore(Config{})
		tx := s.BeginAll()
		if _, err := tx.SAdd(0, []byte("s"), list); err != nil {
			t.Fatal(err)
		}
		s.SetCompact(Compact{SetIntegers: 1, SetEntries: 1, SetValue: 1})
		before, bytes := tx.live(tx.find(0, []byte("s"))).object().encoding(), s.Bytes()
		if n, err := tx.SAdd(0, []byte("s"), list); n != 0 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
		if ok, err := tx.SMove(0, []byte("s"), []byte("s"), list[0]); !ok || err != nil {
			t.Errorf("got %v, %v", ok, err)
		}
		if got := tx.live(tx.find(0, []byte("s"))).object().encoding(); got != before || s.Bytes() != bytes {
			t.Errorf("got %s of %d bytes, want %s of %d", got, s.Bytes(), before, bytes)
		}
		checkBytes(t, s)
		if _, err := tx.SAdd(0, []byte("s"), keysOf("4")); err != nil {
			t.Fatal(err)
		}
		if got := tx.live(tx.find(0, []byte("s"))).object().encoding(); got != "hashtable" {
			t.Errorf("grown: got %s", got)
		}
		checkBytes(t, s)
		tx.End()
	}
}
