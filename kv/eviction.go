package kv

import (
	"fmt"
	"slices"
)

// Policy says what happens to a write while the store is over MaxMemory. The names
// are those of Redis' setting maxmemory-policy.
type Policy string

// The policies. All but the first delete keys to make room: any key, or volatile
// ones only, which are those with a time to live.
const (
	PolicyNoEviction     Policy = "noeviction"      // writes that grow the store are refused with ErrOOM
	PolicyAllKeysLRU     Policy = "allkeys-lru"     // the key that was not used for longest
	PolicyVolatileLRU    Policy = "volatile-lru"    //
	PolicyAllKeysLFU     Policy = "allkeys-lfu"     // the key that is used least often
	PolicyVolatileLFU    Policy = "volatile-lfu"    //
	PolicyAllKeysRandom  Policy = "allkeys-random"  // any key
	PolicyVolatileRandom Policy = "volatile-random" //
	PolicyVolatileTTL    Policy = "volatile-ttl"    // the key that would expire first
)

// Policies has every policy, in the order in which Redis lists them.
var Policies = []Policy{
	PolicyVolatileLRU, PolicyVolatileLFU, PolicyVolatileRandom, PolicyVolatileTTL,
	PolicyAllKeysLRU, PolicyAllKeysLFU, PolicyAllKeysRandom, PolicyNoEviction,
}

// volatile says that only keys with a time to live may be evicted.
func (p Policy) volatile() bool {
	return p == PolicyVolatileLRU || p == PolicyVolatileLFU || p == PolicyVolatileRandom || p == PolicyVolatileTTL
}

// counts says that entries are stamped with how often they are used, and not with
// when they were last.
func (p Policy) counts() bool { return p == PolicyAllKeysLFU || p == PolicyVolatileLFU }

// random says that it does not matter when a key was used.
func (p Policy) random() bool { return p == PolicyAllKeysRandom || p == PolicyVolatileRandom }

// Eviction says which keys go when the store is over MaxMemory. The zero value
// means DefaultEviction.
type Eviction struct {
	Policy Policy // "": PolicyNoEviction

	// Samples is how many keys are looked at for each that is evicted by the LRU and LFU policies
	// (maxmemory-samples). More are nearer to the exact choice, and slower. 0: 5.
	Samples int

	// LogFactor is how much harder each step of the counter of uses is than the one before
	// (lfu-log-factor). 0: every use is counted, up to 255.
	LogFactor int

	// DecayTime is after how many minutes without use the counter falls by one (lfu-decay-time). 0:
	// never.
	DecayTime int
}

// DefaultEviction has Redis' defaults.
var DefaultEviction = Eviction{Policy: PolicyNoEviction, Samples: 5, LogFactor: 10, DecayTime: 1}

// MaxSamples bounds Eviction.Samples: they are looked at under the lock of one shard.
const MaxSamples = 64

// Validate explains what is wrong.
func (v Eviction) Validate() error {
	switch {
	case v.Policy != "" && !slices.Contains(Policies, v.Policy):
		return fmt.Errorf("unknown maxmemory-policy %q", v.Policy)
	case v.Samples < 0 || v.Samples > MaxSamples:
		return fmt.Errorf("maxmemory-samples must be 0 to %d, not %d", MaxSamples, v.Samples)
	case v.LogFactor < 0:
		return fmt.Errorf("lfu-log-factor must not be negative, but is %d", v.LogFactor)
	case v.DecayTime < 0:
		return fmt.Errorf("lfu-decay-time must not be negative, but is %d", v.DecayTime)
	}
	return nil
}

// withDefaults fills in what was left out and replaces what Validate refuses.
func (v Eviction) withDefaults() Eviction {
	if v == (Eviction{}) || v.Validate() != nil {
		return DefaultEviction
	}
	if v.Policy == "" {
		v.Policy = PolicyNoEviction
	}
	if v.Samples == 0 {
		v.Samples = DefaultEviction.Samples
	}
	return v
}

// Eviction returns the present choice.
func (s *Store) Eviction() Eviction { return *s.eviction.Load() }

// SetEviction changes which keys go; what Validate refuses is taken as
// DefaultEviction. What was noted about the use of keys is not translated from LRU
// to LFU or back: as in Redis it takes a while until the choice is a good one.
func (s *Store) SetEviction(v Eviction) {
	s.useEviction(v)
	s.relax()
}

func (s *Store) useEviction(v Eviction) {
	v = v.withDefaults()
	s.eviction.Store(&v)
	s.counts.Store(v.Policy.counts())
	s.evicts.Store(v.Policy != PolicyNoEviction)
}
