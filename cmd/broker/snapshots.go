package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/internal/snapshot"
	"fanfare/kv"
	"fanfare/protocol/resp"
)

// The sections of a snapshot. The first record of all is that of sectionAbout, a
// text: when the snapshot was begun, in Unix milliseconds, a blank, and the version
// of the broker that wrote it.
const (
	sectionChannels byte = 1 + iota // what channels remember
	sectionKeys
	sectionAbout
)

// snapshots are how a node outlives its process. They go through three states:
// loading, in which nothing runs that needs the data; running, in which there is a
// saver; and after the last snapshot nothing.
type snapshots struct {
	// set at construction
	dir    *snapshot.Dir
	broker *broker.Broker
	store  *kv.Store
	grace  time.Duration // of members whose connections ended with the process
	every  time.Duration
	log    *zap.Logger

	loading *atomic.Bool

	mark  string // what the last stop has said; set by begin
	done  chan struct{}
	saver atomic.Pointer[snapshot.Saver] // nil until everything is loaded

	mu    sync.Mutex
	start resp.SnapshotStats // what there is to tell before the saver
}

func newSnapshots(cfg *Config, d *snapshot.Dir, n *node, log *zap.Logger) *snapshots {
	s := &snapshots{
		dir: d, broker: n.broker, store: n.store, loading: &n.loading, log: log,
		grace: cfg.WS.Grace, every: cfg.SaveEvery, done: make(chan struct{}),
	}
	s.start.Last, s.start.LastStop = time.Now(), stopUnknown
	return s
}

// begin takes the mark of a clean stop away, before anybody is let in: whatever
// happens to this process, the next start knows that this one has run.
func (s *snapshots) begin() (err error) {
	s.mark, err = s.dir.TakeClean()
	return err
}

// run saves from now on.
func (s *snapshots) run() {
	changes := func() uint64 { return s.store.Stats().Changes + s.broker.Changes() }
	saver := snapshot.NewSaver(s.dir, s.export, changes, s.log)
	s.saver.Store(saver)
	s.loading.Store(false)
	go saver.Every(s.every, s.done)
}

// export writes everything into a snapshot.
func (s *snapshots) export(w *snapshot.Writer) (pause time.Duration, err error) {
	if err := w.Record(sectionAbout, fmt.Appendf(nil, "%d %s", time.Now().UnixMilli(), buildVersion())); err != nil {
		return 0, err
	}
	of := func(section byte) func([]byte) error {
		return func(record []byte) error { return w.Record(section, record) }
	}
	pause, err = s.broker.Export(of(sectionChannels))
	if err != nil {
		return pause, err
	}
	keys, err := s.store.Export(of(sectionKeys))
	return max(pause, keys), err
}

// finish writes the last snapshot, unless there is less in memory than in the one
// that is there. clean says that nothing changes any more.
func (s *snapshots) finish(clean bool) error {
	close(s.done)
	saver := s.saver.Load()
	if saver == nil {
		return s.putBack()
	}
	return saver.Final(clean)
}

// putBack says again what begin has taken away: nobody was served.
func (s *snapshots) putBack() error {
	if s.mark == "" {
		return nil
	}
	return s.dir.MarkClean(s.mark)
}

// commands are the functions behind SAVE and its like.
func (s *snapshots) commands() *resp.Snapshots {
	return &resp.Snapshots{
		Loading: s.loading.Load,
		Save: func() error {
			_, err := s.saver.Load().Save()
			return inProgress(err)
		},
		Background: func() error { return inProgress(s.saver.Load().Background()) },
		Stats:      s.stats,
	}
}

func inProgress(err error) error {
	if errors.Is(err, snapshot.ErrSaving) {
		return resp.ErrSaving
	}
	return err
}

func (s *snapshots) stats() resp.SnapshotStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.start
	saver := s.saver.Load()
	if saver == nil {
		return n
	}
	st := saver.Stats()
	n.Last, n.Failed, n.Saving, n.Took, n.Pause = st.Last, st.Failed, st.Saving, st.Took, st.Pause
	n.Bytes, n.Saves, n.Failures, n.Changes = st.Bytes, st.Saves, st.Failures, st.Saved
	return n
}
