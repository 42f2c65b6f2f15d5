package kv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// contents returns all keys with their values and deadlines, sorted.
func contents(s *Store) []string {
	tx := s.BeginAll()
	defer tx.End()
	var list []string
	for db := range s.Databases() {
		tx.Each(db, func(key []byte, _ Type) {
			value, _, _ := tx.Get(db, key)
			list = append(list, fmt.Sprintf("%d %q %q %d", db, key, value, tx.Deadline(db, key)))
		})
	}
	slices.Sort(list)
	return list
}

func export(t testing.TB, s *Store) (records [][]byte) {
	t.Helper()
	_, err := s.Export(func(r []byte) error {
		records = append(records, bytes.Clone(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestAnImportHasWhatWasExported(t *testing.T) {
	t.Parallel()
	now := int64(1_000)
	clock := func() int64 { return now }
	from, to := newStore(Config{Now: clock}), newStore(Config{Now: clock})
	for i := range 5000 {
		put(from, i%16, fmt.Sprint("k", i%3000), int64(i%3)*50)
	}
	put(from, 3, "", 0)
	put(from, 3, "gone", 1)
	put(from, 3, "\x00\xff\r\n", 0)
	now += 50 // some have expired and are not deleted yet
	want := contents(from)
	records := export(t, from)
	if len(records) != len(want) {
		t.Errorf("%d records for %d keys", len(records), len(want))
	}
	restore(t, to, records)
	if got := contents(to); !slices.Equal(got, want) {
		t.Errorf("got %d keys, want %d", len(got), len(want))
	}
	checkBytes(t, to)
}

func TestADeadlineThatPassedMeanwhileHasPassed(t *testing.T) {
	t.Parallel()
	now := int64(1_000)
	s := newStore(Config{Now: func() int64 { return now }})
	put(s, 0, "soon", 10)
	put(s, 0, "later", 100)
	records := export(t, s)
	now += 10
	other := newStore(Config{Now: func() int64 { return now }})
	if stored, expired := restore(t, other, records); stored != 1 || expired != 1 {
		t.Errorf("%d keys are said to be stored and %d to have expired, want 1 each", stored, expired)
	}
	if got, want := contents(other), []string{`0 "later" "v" 1100`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Whoever writes meanwhile changes nothing of what a shard's list has.
func TestAnExportUnderLoadHasOnlyValuesThatWere(t *testing.T) {
	t.Parallel()
	s := New(Config{Databases: 1})
	defer s.Close()
	const keys = 500
	set := func(i int, value byte) {
		key := fmt.Append(nil, "k", i)
		tx := s.Begin(0, [][]byte{key})
		defer tx.End()
		if _, err := tx.Set(0, key, bytes.Repeat([]byte{value}, 100), SetOptions{}); err != nil {
			t.Error(err)
		}
		if _, err := tx.Append(0, key, []byte{value}); err != nil {
			t.Error(err)
		}
	}
	for i := range keys {
		set(i, 'a')
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20 * keys {
			set(i%keys, byte('a'+i%26))
		}
	}()
	for range 20 {
		n := 0
		_, err := s.Export(func(r []byte) error {
			n++
			value := r[len(r)-101:]
			if bytes.Count(value, value[:1]) != 101 {
				return fmt.Errorf("a torn value: %q", value)
			}
			return nil
		})
		if err != nil || n != keys {
			t.Fatalf("got %d keys, %v, want %d", n, err, keys)
		}
	}
	<-done
}

func TestImportRefusesWhatIsNoRecord(t *testing.T) {
	t.Parallel()
	s := newStore(Config{Databases: 2, MaxMemory: 20 << 10})
	good := []byte("\x01\x00\x00\x01kv")
	tests := map[string]struct {
		record []byte
		want   error
	}{
		"empty":                 {nil, ErrRecord},
		"an unknown type":       {[]byte("\x09\x00\x00\x01kv"), ErrRecord},
		"another database":      {[]byte("\x01\x02\x00\x01kv"), ErrNoDatabase},
		"a key that is cut":     {[]byte("\x01\x00\x00\x03kv"), ErrRecord},
		"a number that is cut":  {[]byte("\x01\x00\xff"), ErrRecord},
		"more than fits":        {append([]byte("\x01\x00\x00\x01k"), make([]byte, 30<<10)...), ErrOOM},
		"a negative deadline":   {append([]byte{1, 0}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0), ErrRecord},
		"a good one, to see it": {good, nil},
	}
	for name, tt := range tests {
		if err := s.Import().Record(tt.record); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
	if got, want := contents(s), []string{`0 "k" "v" -1`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x01kv"))
	f.Add([]byte("\x01\x0f\xff\xff\xff\xff\x0f\x01kv"))
	f.Fuzz(func(t *testing.T, record []byte) {
		s := newStore(Config{Now: func() int64 { return 1 }})
		if err := s.Import().Record(record); err != nil {
			if n := len(contents(s)); n != 0 {
				t.Errorf("a refused record left %d keys", n)
			}
			return
		}
		again := newStore(Config{Now: func() int64 { return 1 }})
		restore(t, again, export(t, s))
		if got, want := contents(again), contents(s); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// How long writers wait for an export, and how quick it is.
func BenchmarkExport(b *testing.B) {
	s := newStore(Config{})
	for i := range 1_000_000 {
		put(s, 0, fmt.Sprint("key:", i), 0)
	}
	longest := time.Duration(0)
	for b.Loop() {
		pause, err := s.Export(func([]byte) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		longest = max(longest, pause)
	}
	b.ReportMetric(float64(longest.Microseconds()), "µs/pause")
}
