package resp

import (
	"errors"
	"time"
)

// Snapshots connects the server with whatever keeps its data over a restart. The
// functions may be called from any goroutine.
type Snapshots struct {
	// Loading says that the data is still being loaded: until it is not, only
	// commands run that need none. It is asked at every command.
	Loading func() bool
	// Save writes a snapshot and returns when it is durable. ErrSaving: one is
	// being written. It may be called while the locks of keys are held by others,
	// and waits for them.
	Save func() error
	// Background begins a snapshot and waits for nothing. ErrSaving: one is being
	// written.
	Background func() error
	// Stats tells what became of the snapshots. It must take no lock of the store.
	Stats func() SnapshotStats
}

// ErrSaving says that a snapshot is being written.
var ErrSaving = errors.New("a snapshot is being written already")

// SnapshotStats is what INFO tells about snapshots.
type SnapshotStats struct {
	Last     time.Time     // of the last one; before that the start of the server
	Failed   bool          // the last save failed
	Saving   time.Time     // when the save that is under way began; zero: none is
	Took     time.Duration // the last save; 0: there was none
	Pause    time.Duration // the longest time that a save kept a writer waiting
	Bytes    int64         // of the last one
	Saves    int64
	Failures int64
	// Changes is how many changes of keys, and of what channels remember, there had
	// been when the last one began.
	Changes uint64

	LastStop    string    // clean, unclean, unknown
	LostSince   time.Time // what was changed later may be lost; zero: nothing is
	LoadBegan   time.Time
	LoadSize    int64 // bytes
	Loaded      int64 // bytes so far
	KeysLoaded  int64
	KeysExpired int64 // left out because their deadline had passed
}

// loading says that a command cannot run yet. What touches channels waits too,
// though Redis lets it run: the order of messages goes on where it has ended.
func (s *Server) loading(cmd *command) bool {
	return s.cfg.Snapshots != nil && (!cmd.flags.has(flagLoading) || cmd.flags.has(flagPubSub)) && s.cfg.Snapshots.Loading()
}
