package kv

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"testing"
)

// hints are those of the given keys, some of them with a member.
func hints(keys ...string) (list []Hint) {
	for i, k := range keys {
		h := Hint{Key: []byte(k)}
		if i%2 == 0 {
			h.Member = []byte("member" + strconv.Itoa(i))
		}
		list = append(list, h)
	}
	return list
}

// typedKeys has a key of each type, the large ones in their large form, and strings.
func typedKeys(t testing.TB) (s *Store, keys []string) {
	t.Helper()
	s = newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for i := range 600 {
		member := fmt.Append(nil, "member", i)
		_, err1 := tx.HSet(0, []byte("hash"), [][]byte{member, []byte("v")})
		_, err2 := tx.SAdd(0, []byte("set"), [][]byte{member})
		_, _, err3 := tx.ZAdd(0, []byte("sorted"), []Scored{{member, 1}}, 0)
		_, err4 := tx.Push(0, []byte("list"), Left, [][]byte{member}, false)
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				t.Fatal(err)
			}
		}
		set(tx, 0, "string"+strconv.Itoa(i), "v")
	}
	if _, err := tx.HSet(0, []byte("small"), [][]byte{[]byte("f"), []byte("v")}); err != nil {
		t.Fatal(err)
	}
	return s, []string{"hash", "hash", "set", "set", "sorted", "sorted", "list", "list", "small", "none", "string1", "string1", "string2"}
}

func TestAHintChangesNothing(t *testing.T) {
	t.Parallel()
	s, keys := typedKeys(t)
	bytes, stats := s.Bytes(), s.Stats()
	s.Prefetch(0, hints(keys...))
	s.Prefetch(0, hints(append(keys, keys...)...))
	s.Prefetch(1, hints(keys...))
	s.Prefetch(0, nil)
	if got := s.Stats(); s.Bytes() != bytes || !reflect.DeepEqual(got, stats) {
		t.Errorf("got %d bytes and %+v, want %d and %+v", s.Bytes(), got, bytes, stats)
	}
}

// It would be a deadlock: the test holds the locks itself.
func TestAHintDoesNotWaitForALock(t *testing.T) {
	t.Parallel()
	s, keys := typedKeys(t)
	tx := s.BeginAll()
	defer tx.End()
	s.Prefetch(0, hints(keys...))
}

// The race detector says whether a hint looks at what it may not look at; tables grow,
// shrink and go meanwhile.
func TestHintsAmongWrites(t *testing.T) {
	t.Parallel()
	s, keys := typedKeys(t)
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range 3000 {
				key := []byte("string" + strconv.Itoa((i*7+w)%900))
				field := fmt.Append(nil, "member", i%900)
				tx := s.Begin(0, [][]byte{key, []byte("hash")})
				if i/900%2 == 0 {
					_, _ = tx.Set(0, key, field, SetOptions{})
					_, _ = tx.HSet(0, []byte("hash"), [][]byte{field, key})
				} else {
					tx.Delete(0, key)
					_, _ = tx.HDel(0, []byte("hash"), [][]byte{field})
				}
				tx.End()
			}
		})
	}
	for range 500 {
		s.Prefetch(0, hints(keys...))
	}
	writers.Wait()
}

// BenchmarkAhead is a pipeline of GETs on random keys, with hints and without.
func BenchmarkAhead(b *testing.B) {
	const n = 1 << 18
	s := newStore(Config{})
	tx := s.BeginAll()
	for i := range n {
		set(tx, 0, "key:"+strconv.Itoa(i), "a value of some twenty bytes")
	}
	tx.End()
	for _, ahead := range []bool{false, true} {
		b.Run(fmt.Sprintf("keys=%d/hints=%v", n, ahead), func(b *testing.B) {
			var pipeline [MaxAhead]Hint
			at := uint32(1)
			for b.Loop() {
				for i := range pipeline {
					at = at*1664525 + 1013904223
					pipeline[i].Key = strconv.AppendUint(append(pipeline[i].Key[:0], "key:"...), uint64(at%n), 10)
				}
				if ahead {
					s.Prefetch(0, pipeline[:])
				}
				for i := range pipeline {
					key := [...][]byte{pipeline[i].Key}
					tx := s.Begin(0, key[:])
					_, _, _ = tx.Get(0, key[0])
					tx.End()
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*MaxAhead), "ns/key")
		})
	}
}
