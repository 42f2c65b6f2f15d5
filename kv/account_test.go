package kv

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
)

func fillSets(tx *Tx, sets, members int, format string) {
	for i := range sets {
		for m := range members {
			if _, err := tx.SAdd(0, fmt.Append(nil, "set:", i), [][]byte{fmt.Appendf(nil, format, m*7919%members)}); err != nil {
				panic(err)
			}
		}
	}
}

func fillLists(tx *Tx, lists, elements int) {
	for i := range lists {
		for e := range elements {
			if _, err := tx.Push(0, fmt.Append(nil, "list:", i), End(e%2 == 0), [][]byte{fmt.Appendf(nil, "element%d", e)}, false); err != nil {
				panic(err)
			}
		}
	}
}

func fillSorted(tx *Tx, sets, members int) {
	for i := range sets {
		for m := range members {
			list := []Scored{{fmt.Appendf(nil, "member%d", m), float64(m * 7919 % members)}}
			if _, _, err := tx.ZAdd(0, fmt.Append(nil, "sorted:", i), list, 0); err != nil {
				panic(err)
			}
		}
	}
}

// What Bytes says is what the process really takes, as the collector counts it. This
// test is not parallel: others' garbage would be in the figure.
func TestTheAccountIsThatOfTheHeap(t *testing.T) {
	scale := 1
	if raceEnabled || testing.Short() {
		scale = 20
	}
	for _, tt := range []struct {
		name string
		fill func(tx *Tx)
	}{
		{"a million strings of 16 bytes", func(tx *Tx) {
			for i := range 1_000_000 / scale {
				set(tx, 0, fmt.Sprintf("key:%012d", i), "value-0123456789")
			}
		}},
		{"100,000 hashes of 10 fields", func(tx *Tx) {
			for i := range 100_000 / scale {
				var pairs [][]byte
				for f := range 10 {
					pairs = append(pairs, strconv.AppendInt([]byte("field"), int64(f), 10), fmt.Appendf(nil, "value-%06d", i))
				}
				if _, err := tx.HSet(0, fmt.Append(nil, "hash:", i), pairs); err != nil {
					panic(err)
				}
			}
		}},
		{"1,000 hashes of 1,000 fields", func(tx *Tx) {
			for i := range 1000 / scale {
				for f := range 1000 {
					pair := [][]byte{fmt.Append(nil, "field", f), fmt.Appendf(nil, "value-%06d", i)}
					if _, err := tx.HSet(0, fmt.Append(nil, "hash:", i), pair); err != nil {
						panic(err)
					}
				}
			}
		}},
		{"2,000 sets of integers with 500 members", func(tx *Tx) { fillSets(tx, 2000/scale, 500, "1%06d") }},
		{"20,000 sets of 50 members", func(tx *Tx) { fillSets(tx, 20_000/scale, 50, "member%d") }},
		{"1,000 sets of 1,000 members", func(tx *Tx) { fillSets(tx, 1000/scale, 1000, "member%d") }},
		{"a set of a million members", func(tx *Tx) { fillSets(tx, 1, 1_000_000/scale, "member%d") }},
		{"100,000 lists of 10 elements", func(tx *Tx) { fillLists(tx, 100_000/scale, 10) }},
		{"50 lists of 20,000 elements", func(tx *Tx) { fillLists(tx, 50/scale, 20_000) }},
		{"a list of two million elements", func(tx *Tx) { fillLists(tx, 1, 2_000_000/scale) }},
		{"20,000 sorted sets of 50 members", func(tx *Tx) { fillSorted(tx, 20_000/scale, 50) }},
		{"1,000 sorted sets of 1,000 members", func(tx *Tx) { fillSorted(tx, 1000/scale, 1000) }},
		{"a sorted set of a million members", func(tx *Tx) { fillSorted(tx, 1, 1_000_000/scale) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := heap()
			s := newStore(Config{})
			tx := s.BeginAll()
			tt.fill(tx)
			tx.End()
			got, want := s.Bytes(), heap()-before
			t.Logf("account %d, heap %d: %+.1f %%", got, want, 100*float64(got-want)/float64(want))
			if got < want*9/10 || got > want*11/10 {
				t.Errorf("got %d bytes by the account, %d by the heap", got, want)
			}
			runtime.KeepAlive(s)
		})
	}
}
