package broker

import (
	"fmt"
	"runtime"

	"go.uber.org/zap"
)

// Config has every knob of a Broker. The zero value of a field means its
// default, except for Codecs, which must be given.
type Config struct {
	// Codecs are the wire formats; a Format is an index into them.
	Codecs []Codec
	// Access decides who may do what; nil allows everything.
	Access Access
	// Log is where the broker reports what an operator should know; nil: nowhere.
	Log *zap.Logger

	// Workers is the number of fan-out workers, at most 64; default the number
	// of CPUs that the program may use, at most 4.
	Workers int
	// Backlog is the number of bytes that may be published and not yet
	// distributed before publishers wait; default 16 MiB.
	Backlog int64
	// BacklogDeliveries is the same in deliveries; default 4 million.
	BacklogDeliveries int64
	// FanoutMemory bounds the bytes of the log that anybody still has to write;
	// over it the sessions that hold the oldest of them end; default 256 MiB.
	FanoutMemory int64

	// Rules say what channels remember; see Broker.SetRules.
	Rules []Rule
	// MaxHistory bounds the bytes of all histories: beyond it the channels with the
	// oldest last message lose theirs; default 256 MiB.
	MaxHistory int64
	// MaxState bounds the bytes of retained messages and members: beyond it new ones
	// are refused with ErrStateFull; default 256 MiB.
	MaxState int64

	// MaxSessions bounds the sessions of all transports together; 0: no bound.
	MaxSessions        int
	MaxMessage         int // bytes of a payload; default 1 MiB
	MaxName            int // bytes of a channel or pattern; default 1,024
	MaxSubscriptions   int // of a session; default 100,000
	MaxComplexPatterns int // with three or more stars, of a session; default 1,000
	MaxComplexNode     int // the same, of all sessions; default 10,000
}

const maxWorkers = 64

func (c Config) withDefaults() Config {
	c.Workers = orDefault(c.Workers, min(4, runtime.GOMAXPROCS(0)))
	c.MaxMessage = orDefault(c.MaxMessage, 1<<20)
	c.MaxName = orDefault(c.MaxName, 1024)
	c.MaxSubscriptions = orDefault(c.MaxSubscriptions, 100_000)
	c.MaxComplexPatterns = orDefault(c.MaxComplexPatterns, 1000)
	c.MaxComplexNode = orDefault(c.MaxComplexNode, 10_000)
	if c.Backlog == 0 {
		c.Backlog = 16 << 20
	}
	if c.BacklogDeliveries == 0 {
		c.BacklogDeliveries = 4_000_000
	}
	if c.FanoutMemory == 0 {
		c.FanoutMemory = 256 << 20
	}
	if c.MaxHistory == 0 {
		c.MaxHistory = 256 << 20
	}
	if c.MaxState == 0 {
		c.MaxState = 256 << 20
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c
}

// Validate says what is wrong with the configuration, naming the setting.
func (c Config) Validate() error {
	switch c = c.withDefaults(); {
	case len(c.Codecs) == 0 || len(c.Codecs) > MaxFormats:
		return fmt.Errorf("a broker needs 1 to %d codecs, not %d", MaxFormats, len(c.Codecs))
	case c.Workers < 0 || c.Workers > maxWorkers:
		return fmt.Errorf("workers must be 0 to %d, not %d", maxWorkers, c.Workers)
	case c.Backlog < 0:
		return fmt.Errorf("fanout-backlog must be positive, not %d", c.Backlog)
	case c.BacklogDeliveries < 0:
		return fmt.Errorf("fanout-backlog deliveries must be positive, not %d", c.BacklogDeliveries)
	case c.FanoutMemory < max(4*chunkSize, 2*c.Backlog):
		// What is not distributed yet is live too: nobody must be ended for it.
		return fmt.Errorf("fanout-memory must be at least twice fanout-backlog and %d bytes, not %d", 4*chunkSize, c.FanoutMemory)
	case c.MaxHistory < 0:
		return fmt.Errorf("max-history-bytes must be positive, not %d", c.MaxHistory)
	case c.MaxState < 0:
		return fmt.Errorf("max-state-bytes must be positive, not %d", c.MaxState)
	case c.MaxMessage < 0 || c.MaxMessage > maxMessageLimit:
		return fmt.Errorf("max-message must be 1 to %d bytes, not %d", maxMessageLimit, c.MaxMessage)
	case c.MaxName < 0 || c.MaxName > maxNameLimit:
		return fmt.Errorf("max-name must be 1 to %d bytes, not %d", maxNameLimit, c.MaxName)
	case c.MaxSessions < 0:
		return fmt.Errorf("the limit of sessions must be positive, not %d", c.MaxSessions)
	case c.MaxSubscriptions < 0, c.MaxComplexPatterns < 0, c.MaxComplexNode < 0:
		return fmt.Errorf("limits of subscriptions must be positive")
	}
	return nil
}

// maxMessageLimit keeps the length of a body, of which JSON may need six bytes
// for one, within a Range.
const maxMessageLimit = 512 << 20

// maxNameLimit keeps a prefix with an escaped pattern well within a chunk.
const maxNameLimit = 4096
