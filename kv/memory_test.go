package kv

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestAWriteOverTheLimitIsRefusedBeforeDamage(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	s := newStore(Config{MaxMemory: limit})
	tx := s.BeginAll()
	defer tx.End()
	value := bytes.Repeat([]byte("v"), 500)
	n := 0
	for ; n < 1000; n++ {
		if _, err := tx.Set(0, fmt.Append(nil, n), value, SetOptions{}); err != nil {
			if !errors.Is(err, ErrOOM) {
				t.Fatal(err)
			}
			break
		}
	}
	if n < 100 || n == 1000 {
		t.Fatalf("keys before the error: got %d", n)
	}
	before := s.Bytes()
	if before > limit+4096 {
		t.Errorf("bytes: got %d, limit %d", before, limit)
	}
	for _, o := range []SetOptions{{}, {Get: true}, {Deadline: 1 << 50}} {
		if r, err := tx.Set(0, []byte("new"), value, o); !errors.Is(err, ErrOOM) || r.Done {
			t.Errorf("set %+v: got %+v, %v, want %v", o, r, err, ErrOOM)
		}
	}
	if _, err := tx.Set(0, []byte("5"), bytes.Repeat(value, 3), SetOptions{}); !errors.Is(err, ErrOOM) {
		t.Errorf("set to three times the size: got %v, want %v", err, ErrOOM)
	}
	if get(tx, 0, "5") != string(value) || tx.Exists(0, []byte("new")) || s.Bytes() != before {
		t.Error("a refused write changed something")
	}
	set(tx, 0, "5", string(value)) // does not grow
	tx.Delete(0, []byte("5"))
	tx.Delete(0, []byte("6"))
	set(tx, 0, "new", "v")
	checkBytes(t, s)
}

func TestNobodyPassesTheLimitTogether(t *testing.T) {
	t.Parallel()
	const limit = 300_000
	s := newStore(Config{MaxMemory: limit})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 1000 {
				key := fmt.Append(nil, w, "-", i)
				tx := s.Begin(0, [][]byte{key})
				if _, err := tx.Set(0, key, make([]byte, 400), SetOptions{}); err != nil && !errors.Is(err, ErrOOM) {
					t.Error(err)
				}
				tx.End()
			}
		})
	}
	wg.Wait()
	checkBytes(t, s)
	if got := s.Bytes(); got < limit*9/10 || got > limit*11/10 {
		t.Errorf("bytes: got %d, want about %d", got, limit)
	}
}

func TestAnExpiredKeyLeavesRoomForItsReplacement(t *testing.T) {
	t.Parallel()
	now := int64(1)
	s := newStore(Config{MaxMemory: 2000, Now: func() int64 { return now }})
	put(s, 0, "k", 10)
	tx := s.BeginAll()
	defer tx.End()
	for i := range 10 {
		now += 100
		tx.now = 0
		if _, err := tx.Set(0, []byte("k"), make([]byte, 1000), SetOptions{Deadline: now + 10}); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	checkBytes(t, s)
}

func TestConfigValidateNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	expired := func([]string) {}
	tests := []struct {
		name string
		cfg  Config
		ok   bool
		dbs  int // that New makes of it
	}{
		{"the zero value is fine", Config{}, true, 16},
		{"a callback for expired keys means one database", Config{Expired: expired}, true, 1},
		{"and refuses several", Config{Expired: expired, Databases: 2}, false, 1},
		{"negative number of databases", Config{Databases: -1}, false, 16},
		{"too many databases", Config{Databases: 1 << 20}, false, 16},
		{"negative memory", Config{MaxMemory: -1}, false, 16},
		{"negative length of strings", Config{MaxString: -1}, false, 16},
		{"the policy by name", Config{Eviction: Eviction{Policy: PolicyNoEviction}, Databases: 3}, true, 3},
		{"every other policy", Config{Eviction: Eviction{Policy: PolicyVolatileTTL}}, true, 16},
		{"a policy there is not", Config{Eviction: Eviction{Policy: "allkeys-fifo"}}, false, 16},
		{"no samples are five", Config{Eviction: Eviction{Policy: PolicyAllKeysLRU}}, true, 16},
		{"too many samples", Config{Eviction: Eviction{Samples: MaxSamples + 1}}, false, 16},
		{"a negative factor", Config{Eviction: Eviction{LogFactor: -1}}, false, 16},
		{"a negative decay", Config{Eviction: Eviction{DecayTime: -1}}, false, 16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.cfg.Validate(); (err == nil) != tt.ok {
				t.Errorf("got %v, want ok %v", err, tt.ok)
			}
			if got := newStore(tt.cfg).Databases(); got != tt.dbs {
				t.Errorf("databases: got %d, want %d", got, tt.dbs)
			}
		})
	}
}
