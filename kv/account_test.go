package kv

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
)

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
