package broker

import (
	"sync"
	"sync/atomic"
)

// chunkSize is what a pooled chunk holds. Bodies above maxCopied become chunks
// of their own, so that a large message is copied once and not per format.
const (
	chunkSize = 64 << 10
	maxCopied = 16 << 10
)

// chunk is a piece of the log's bytes, shared by all who still have to write
// some of them. Its reference count is one for the log until every worker has
// passed it, and one for each queue entry.
type chunk struct {
	buf    []byte
	pool   *chunkPool
	serial uint64 // rises with age of birth: tells which chunk is the oldest
	used   int    // guarded by the log's lock; bytes below it never change
	refs   atomic.Int32
}

func (c *chunk) retain() { c.refs.Add(1) }

func (c *chunk) release() {
	switch n := c.refs.Add(-1); {
	case n == 0:
		c.pool.put(c)
	case n < 0:
		panic("broker: chunk released twice")
	}
}

// chunkPool makes chunks and counts the bytes of the live ones.
type chunkPool struct {
	live     atomic.Int64
	limit    int64         // live bytes above it ring the bell
	pressure chan struct{} // the bell; one ring is kept

	mu     sync.Mutex
	free   []*chunk
	serial uint64
}

// maxFree bounds what the pool keeps for later: 4 MiB.
const maxFree = 64

func newChunkPool(limit int64) *chunkPool {
	return &chunkPool{limit: limit, pressure: make(chan struct{}, 1)}
}

// get returns an empty chunk with one reference.
func (p *chunkPool) get() *chunk {
	p.mu.Lock()
	p.serial++
	var c *chunk
	if n := len(p.free); n > 0 {
		c, p.free[n-1] = p.free[n-1], nil
		p.free = p.free[:n-1]
	} else {
		c = &chunk{buf: make([]byte, chunkSize), pool: p}
	}
	c.serial, c.used = p.serial, 0
	p.mu.Unlock()
	p.born(c)
	return c
}

// adopt makes buf, which the caller gives away, a full chunk with one reference.
func (p *chunkPool) adopt(buf []byte) *chunk {
	p.mu.Lock()
	p.serial++
	c := &chunk{buf: buf, pool: p, serial: p.serial, used: len(buf)}
	p.mu.Unlock()
	p.born(c)
	return c
}

func (p *chunkPool) born(c *chunk) {
	c.refs.Store(1)
	if p.live.Add(int64(cap(c.buf))) > p.limit {
		select {
		case p.pressure <- struct{}{}:
		default:
		}
	}
}

func (p *chunkPool) put(c *chunk) {
	p.live.Add(-int64(cap(c.buf)))
	if cap(c.buf) != chunkSize {
		return
	}
	if poison {
		for i := range c.buf {
			c.buf[i] = 0xDB
		}
	}
	p.mu.Lock()
	if len(p.free) < maxFree {
		p.free = append(p.free, c)
	}
	p.mu.Unlock()
}
