package snapshot

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
)

// ErrSaving says that a snapshot is being written already.
var ErrSaving = errors.New("a snapshot is being written already")

// Saver writes snapshots of a node while it runs, one at a time. Its methods may
// be called from any goroutine.
type Saver struct {
	// set at construction
	dir     *Dir
	export  func(*Writer) (pause time.Duration, err error)
	changes func() uint64
	log     *zap.Logger

	turn       chan struct{} // holds one token; whoever has it saves
	background sync.WaitGroup

	mu    sync.Mutex
	stats Stats
}

// Stats is what became of the saves so far.
type Stats struct {
	Last     time.Time     // of the last snapshot; at first the start
	Failed   bool          // the last save failed
	Saving   time.Time     // when the save that is under way began; zero: none is
	Took     time.Duration // the last save
	Pause    time.Duration // the longest time that it kept a writer of keys or messages waiting
	Bytes    int64         // of the last snapshot
	Saves    int64
	Failures int64
	Saved    uint64 // how many changes there had been when the last snapshot began
}

// NewSaver makes a Saver that writes into dir what export gives it. changes counts
// what would be lost.
func NewSaver(dir *Dir, export func(*Writer) (time.Duration, error), changes func() uint64, log *zap.Logger) *Saver {
	s := &Saver{dir: dir, export: export, changes: changes, log: log, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	s.stats.Last, s.stats.Saved = time.Now(), changes()
	return s
}

// Stats returns what became of the saves.
func (s *Saver) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Save writes a snapshot and returns its name when it is durable. ErrSaving: one
// is being written.
func (s *Saver) Save() (name string, err error) {
	select {
	case <-s.turn:
	default:
		return "", ErrSaving
	}
	defer func() { s.turn <- struct{}{} }()
	return s.save()
}

// Background begins a snapshot and returns. ErrSaving: one is being written.
func (s *Saver) Background() error {
	select {
	case <-s.turn:
	default:
		return ErrSaving
	}
	s.background.Go(func() {
		defer func() { s.turn <- struct{}{} }()
		_, _ = s.save() // logged and counted
	})
	return nil
}

// Final waits for the snapshot that is being written and writes the last one;
// there is none after it. If nobody can change anything any more, the caller says
// so with clean, and the stop is marked as clean.
func (s *Saver) Final(clean bool) error {
	<-s.turn
	name, err := s.save()
	if err != nil || !clean {
		return err
	}
	return s.dir.MarkClean(name)
}

// Every writes a snapshot in the background each interval if something has
// changed, until done is closed, and returns when none is being written any more.
func (s *Saver) Every(interval time.Duration, done <-chan struct{}) {
	defer s.background.Wait()
	if interval <= 0 {
		<-done
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		if s.changes() != s.Stats().Saved {
			_ = s.Background()
		}
	}
}

// save writes a snapshot; the caller has the turn.
func (s *Saver) save() (name string, err error) {
	began := time.Now()
	s.begin(began)
	changes := s.changes()
	name, bytes, pause, err := s.write()
	st := s.end(began, changes, bytes, pause, err)
	if err != nil {
		s.log.Error("the snapshot could not be written; the one before it stays", zap.Error(err))
		return "", err
	}
	s.log.Info("snapshot written", zap.String("name", name), zap.Int64("bytes", st.Bytes),
		zap.Duration("took", st.Took), zap.Duration("longest_pause", pause))
	return name, nil
}

func (s *Saver) begin(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Saving = at
}

func (s *Saver) end(began time.Time, changes uint64, bytes int64, pause time.Duration, err error) Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.stats
	st.Saving, st.Failed = time.Time{}, err != nil
	if err != nil {
		st.Failures++
		return *st
	}
	st.Saves++
	st.Last, st.Took, st.Bytes, st.Saved = time.Now(), time.Since(began), bytes, changes
	st.Pause = max(st.Pause, pause)
	return *st
}

func (s *Saver) write() (name string, bytes int64, pause time.Duration, err error) {
	w, err := s.dir.Create()
	if err != nil {
		return "", 0, 0, err
	}
	if pause, err = s.export(w); err != nil {
		w.Abort()
		return "", 0, 0, err
	}
	name, bytes, err = w.Commit()
	return name, bytes, pause, err
}
