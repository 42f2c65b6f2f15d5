package kv

import (
	"fmt"
	"time"
)

// DefaultDatabases is the number of databases of a store whose Config does not say.
const DefaultDatabases = 16

// DefaultMaxString is Config.MaxString of a store whose Config does not say.
const DefaultMaxString = 64 << 20

// maxDatabases bounds the array of spaces that every shard carries.
const maxDatabases = 1024

// Config is how a store is made. The zero value is a store of 16 databases
// without a memory limit, without events, on the system's clock.
type Config struct {
	// Databases is the number of databases. 0: 16, or 1 when Expired is set.
	Databases int

	// MaxMemory bounds Store.Bytes; 0: no limit; see SetMaxMemory. Without eviction a write that would
	// grow the store over it is refused; a write that does not grow it is not. Tables and deadline
	// heaps may take it over the limit by a few KiB, after which no write that grows passes. With
	// eviction every write passes that MakeRoom was called before.
	MaxMemory int64

	// MaxString bounds, in bytes, the strings that APPEND and SETRANGE make longer; 0: 64 MiB. (What
	// SET stores is bounded by what a request may be.)
	MaxString int

	// Eviction says which keys go at MaxMemory; the zero value: none, as Redis' default is.
	Eviction Eviction

	// Now returns the time in Unix milliseconds; nil: the system's clock. It is asked at most once
	// per Tx. It has to run with the time package's clock (real, or that of a synctest bubble),
	// by which the expiry goroutine sleeps; where it jumps ahead, keys are absent at once and deleted
	// within a second.
	Now func() int64

	// Event is told what happened to a key, in the order of the effects, if SetEventMask asks for
	// the class. class is that of the event together with EventKeyspace and EventKeyevent as the mask
	// has them. It is called with the key's shard locked: it must not call the store and not block.
	Event func(db int, class EventClass, event, key string)

	// Touched is told of every change of a key while Follow asks for it, in the order of the
	// effects: written, deleted, expired, renamed; exists says whether it is there now. Flush and
	// SwapDatabases do not tell it. It is called with the key's shard locked: it must not call the
	// store and not block. The key is valid during the call.
	Touched func(db int, key []byte, exists bool)

	// Compact is up to what size collections are kept in the compact form; the zero value is
	// Redis' defaults.
	Compact Compact

	// Expired is told which keys the expiry goroutine has deleted, after the shard's lock was given
	// back, in batches. It is called only by that goroutine; a key that was replaced after its
	// deadline is not among them. The slice is valid during the call. The keys come without their
	// database, therefore Expired goes with Databases: 1.
	Expired func(keys []string)

	// Pause lets the expiry goroutine rest: it is asked before every step, and while it returns true
	// nothing is deleted (expired keys are absent all the same). Asked again every few milliseconds.
	Pause func() bool
}

// Validate explains what is wrong with a Config. New takes a value that
// Validate refuses as the default.
func (c *Config) Validate() error {
	switch {
	case c.Databases < 0 || c.Databases > maxDatabases:
		return fmt.Errorf("databases must be 0 to %d, not %d", maxDatabases, c.Databases)
	case c.Expired != nil && c.Databases > 1:
		return fmt.Errorf("an Expired callback goes with one database, not with %d", c.Databases)
	case c.MaxMemory < 0:
		return fmt.Errorf("maxmemory must not be negative, but is %d", c.MaxMemory)
	case c.MaxString < 0:
		return fmt.Errorf("the longest string must not be negative, but is %d", c.MaxString)
	}
	return c.Eviction.Validate()
}

// withDefaults fills in what was left out and replaces what Validate refuses.
func (c Config) withDefaults() Config {
	if c.Databases <= 0 || c.Databases > maxDatabases {
		c.Databases = DefaultDatabases
		if c.Expired != nil {
			c.Databases = 1
		}
	}
	if c.Expired != nil {
		c.Databases = 1
	}
	c.MaxMemory = max(c.MaxMemory, 0)
	if c.MaxString <= 0 {
		c.MaxString = DefaultMaxString
	}
	c.Eviction = c.Eviction.withDefaults()
	if c.Compact == (Compact{}) {
		c.Compact = DefaultCompact
	}
	if c.Now == nil {
		c.Now = func() int64 { return time.Now().UnixMilli() }
	}
	return c
}
