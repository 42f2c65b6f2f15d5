package resp

import (
	"sync"
	"sync/atomic"
)

// Changes takes what the store reports of its keys to the server. It is made before
// both: its Touched is kv.Config.Touched, and it is Config.Changes of the server.
// The zero value is ready for use, by one server.
type Changes struct{ server atomic.Pointer[Server] }

// Touched is for kv.Config.Touched. Before there is a server nobody is told.
func (h *Changes) Touched(db int, key []byte, exists bool) {
	if s := h.server.Load(); s != nil {
		s.touched(db, key, exists)
	}
}

// touched tells everybody who follows keys that one has changed. Its shard is
// locked, so nobody may wait here, nor keep the key.
func (s *Server) touched(db int, key []byte, exists bool) {
	s.tracking.touched(key)
	if exists {
		s.blocked.touched(db, key)
	}
}

// following says how many parts of the server want to be told of changes. While
// there is none the store does not even call.
type following struct {
	mu    sync.Mutex
	parts int
}

// follow is called by a part with true when it begins to need changes, and with
// false when it no longer does. It may be called with shards locked: what is done to
// their keys afterwards is told.
func (s *Server) follow(on bool) {
	f := &s.following
	f.mu.Lock()
	defer f.mu.Unlock()
	if on {
		f.parts++
	} else {
		f.parts--
	}
	s.store().Follow(f.parts > 0)
}
