package kv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
)

func keysOf(names ...string) [][]byte {
	keys := make([][]byte, len(names))
	for i, n := range names {
		keys[i] = []byte(n)
	}
	return keys
}

// get returns a key's value, "" if it does not exist.
func get(t *Tx, db int, key string) string {
	v, _, err := t.Get(db, []byte(key))
	if err != nil {
		panic(err)
	}
	return string(v)
}

func set(t *Tx, db int, key, value string) {
	if _, err := t.Set(db, []byte(key), []byte(value), SetOptions{}); err != nil {
		panic(err)
	}
}

func TestTransactionsOnOverlappingKeysLoseNoUpdate(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	defer s.Close()
	const workers, rounds, counters = 8, 400, 10
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 2))
			for range rounds {
				var keys []Key
				for _, i := range rnd.Perm(counters)[:4] {
					keys = append(keys, Key{i % 2, strconv.AppendInt(nil, int64(i), 10)})
				}
				addOne(s, keys)
				if rnd.IntN(50) == 0 {
					s.BeginAll().End()
					s.Stats()
				}
			}
		})
	}
	wg.Wait()
	tx := s.BeginAll()
	defer tx.End()
	sum := 0
	for i := range counters {
		n, err := strconv.Atoi(get(tx, i%2, strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	if want := workers * rounds * 4; sum != want {
		t.Errorf("sum of the counters: got %d, want %d", sum, want)
	}
}

func addOne(s *Store, keys []Key) {
	tx := s.BeginKeys(nil, keys)
	defer tx.End()
	for _, k := range keys {
		n, _ := strconv.Atoi(get(tx, k.DB, string(k.Key)))
		set(tx, k.DB, string(k.Key), strconv.Itoa(n+1))
	}
}

// Each of two transactions watches what the other writes. Redis lets one fail;
// BeginKeys has to lock the watched keys for that.
func TestOfTwoTransactionsThatWatchEachOtherOneFails(t *testing.T) {
	t.Parallel()
	s := New(Config{})
	defer s.Close()
	for round := range 2000 {
		names := []string{fmt.Sprint("a", round), fmt.Sprint("b", round)}
		var done [2]bool
		var ready, wg sync.WaitGroup
		ready.Add(2)
		for i := range 2 {
			wg.Go(func() {
				var w Watcher
				tx := s.Begin(0, keysOf(names[1-i]))
				tx.Watch(&w, 0, []byte(names[1-i]))
				tx.End()
				ready.Done()
				ready.Wait()
				tx = s.BeginKeys(&w, []Key{{0, []byte(names[i])}})
				if !tx.Dirty(&w) {
					set(tx, 0, names[i], "mine")
					done[i] = true
				}
				tx.End()
				s.Unwatch(&w)
			})
		}
		wg.Wait()
		if done[0] == done[1] {
			t.Fatalf("round %d: got both %v, want one of the two to succeed", round, done[0])
		}
	}
}

func TestExpiryRacesWithCommandsAndReportsEveryKeyOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	live := map[string]int{} // new minus expired minus del
	s := New(Config{Event: func(_ int, _ EventClass, event, key string) {
		mu.Lock()
		defer mu.Unlock()
		switch event {
		case "new":
			live[key]++
		case "expired", "del":
			live[key]--
		default:
			return
		}
		if n := live[key]; n < 0 || n > 1 {
			t.Errorf("key %s: %d times there after %s", key, n, event)
		}
	}})
	s.SetEventMask(EventAll | EventNew | EventKeyevent)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 3))
			for range 5000 {
				key := fmt.Sprint(rnd.IntN(20))
				switch rnd.IntN(3) {
				case 0:
					tx := s.Begin(0, keysOf(key))
					tx.Delete(0, []byte(key))
					tx.End()
				default:
					put(s, 0, key, rnd.Int64N(3))
				}
			}
		})
	}
	wg.Wait()
	s.Close()
	s.sweep()
	mu.Lock()
	defer mu.Unlock()
	tx := s.BeginAll()
	defer tx.End()
	for key, n := range live {
		p := tx.find(0, []byte(key))
		if (p.e != nil) != (n == 1) {
			t.Errorf("key %s: stored %v, but by the events %d", key, p.e != nil, n)
		}
	}
}

func TestEndRunsAfterFunctionsInOrderWithoutLocks(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	var got []int
	tx := s.BeginAll()
	for i := range 3 {
		tx.After(func() {
			s.BeginAll().End() // would hang if anything were locked
			got = append(got, i)
		})
	}
	tx.End()
	if want := []int{0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.BeginAll().End()
	if len(got) != 3 {
		t.Error("a later Tx ran them again")
	}
}

func TestUsingWhatIsNotLockedPanics(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	for name, use := range map[string]func(tx *Tx){
		"a key":           func(tx *Tx) { tx.Exists(0, []byte("k")) },
		"the whole store": func(tx *Tx) { tx.Size(0) },
	} {
		func() {
			tx := s.Begin(0, nil)
			defer tx.End()
			defer func() {
				if recover() == nil {
					t.Errorf("%s: got no panic", name)
				}
			}()
			use(tx)
		}()
	}
}

func TestTTLAnswersAsPTTL(t *testing.T) {
	t.Parallel()
	w := newWorld()
	put(w.s, 0, "dying", 1500)
	put(w.s, 0, "living", 0)
	w.begin()
	w.pass(400)
	defer w.tx.End()
	for key, want := range map[string]int64{"dying": 1100, "living": TTLNoDeadline, "none": TTLNoKey} {
		if got := w.tx.TTL(0, []byte(key)); got != want {
			t.Errorf("%s: got %d, want %d", key, got, want)
		}
	}
}

func TestWhatComesInIsCopiedAndWhatSetReplacedIsKept(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	key, value := []byte("key"), []byte("one")
	if _, err := tx.Set(0, key, value, SetOptions{}); err != nil {
		t.Fatal(err)
	}
	copy(key, "XXX")
	copy(value, "XXX")
	r, err := tx.Set(0, []byte("key"), []byte("two"), SetOptions{Get: true})
	if err != nil || string(r.Old) != "one" || get(tx, 0, "key") != "two" {
		t.Errorf("got %q for the old value and %q for the new one, %v; want one and two", r.Old, get(tx, 0, "key"), err)
	}
}

func TestCommandsForStringsRefuseOtherTypes(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	if _, err := tx.HSet(0, []byte("k"), [][]byte{[]byte("f"), []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tx.Get(0, []byte("k")); !errors.Is(err, ErrWrongType) {
		t.Errorf("get: got %v, want %v", err, ErrWrongType)
	}
	if _, err := tx.Set(0, []byte("k"), nil, SetOptions{Get: true}); !errors.Is(err, ErrWrongType) {
		t.Errorf("set with get: got %v, want %v", err, ErrWrongType)
	}
	if got := tx.Type(0, []byte("k")); got != TypeHash {
		t.Errorf("type after the refused set: got %v, want it unchanged", got)
	}
	set(tx, 0, "k", "v")
	if got := tx.Type(0, []byte("k")); got != TypeString {
		t.Errorf("type after set: got %v, want string", got)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	set(tx, 0, "k", "zero")
	set(tx, 3, "k", "three")
	if got := get(tx, 0, "k") + get(tx, 3, "k") + get(tx, 1, "k"); got != "zerothree" {
		t.Errorf("got %q", got)
	}
	tx.Flush(0)
	if tx.Size(0) != 0 || tx.Size(3) != 1 {
		t.Errorf("sizes after Flush(0): got %d, %d, want 0, 1", tx.Size(0), tx.Size(3))
	}
	tx.FlushAll()
	if tx.Size(3) != 0 || s.Bytes() != 0 {
		t.Errorf("after FlushAll: got %d keys, %d bytes, want none", tx.Size(3), s.Bytes())
	}
}
