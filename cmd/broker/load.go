package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"fanfare/broker"
	"fanfare/internal/snapshot"
	"fanfare/kv"
)

// How the last stop was, as INFO says it.
const (
	stopClean   = "clean"
	stopUnclean = "unclean"
	stopUnknown = "unknown" // there is no snapshot
)

const (
	progressEvery = 5 * time.Second
	lookEvery     = 4096 // records between looks at the clock
)

// load loads the newest snapshot into the node, which serves nobody's data yet,
// and begins to save. At the end of ctx it gives up.
func (s *snapshots) load(ctx context.Context) error {
	name, err := s.dir.Latest()
	if err != nil {
		return err
	}
	if name == "" {
		s.log.Info("no snapshot to load", zap.String("dir", s.dir.Path()))
		s.run()
		return nil
	}
	clean := name == s.mark
	l := &loader{keys: s.store.Import(), im: s.broker.Import(s.grace), look: func(l *loader) error {
		s.loaded(l)
		return ctx.Err()
	}}
	if err := l.load(s.dir, name); err != nil {
		return wayOut(filepath.Join(s.dir.Path(), name), err)
	}
	l.channels = l.im.Done(clean)
	s.ended(l, clean)
	s.run()
	return nil
}

// ended tells what was loaded and what may be lost.
func (s *snapshots) ended(l *loader, clean bool) {
	s.loaded(l)
	stored, expired := l.keys.Keys()
	s.log.Info("snapshot loaded", zap.String("path", l.path), zap.Duration("took", time.Since(l.began)),
		zap.Int64("keys", stored), zap.Int64("expired", expired), zap.Int("histories", l.channels.Histories),
		zap.Int("messages", l.channels.Messages), zap.Int("retained", l.channels.Retained),
		zap.Int("members", l.channels.Members), zap.String("epoch", s.broker.Epoch()))
	s.mu.Lock()
	s.start.LastStop = stopClean
	if !clean {
		s.start.LastStop, s.start.LostSince = stopUnclean, l.written
	}
	s.mu.Unlock()
	if !clean {
		s.log.Warn("the broker was not stopped in order: what was changed after the snapshot was begun is lost, and the epoch is new",
			zap.Time("lost_since", l.written), zap.String("written_by", l.writer))
	}
}

// loaded notes how far the loading is.
func (s *snapshots) loaded(l *loader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := &s.start
	n.LoadBegan, n.Loaded, n.LoadSize = l.began, l.read, l.size
	n.KeysLoaded, n.KeysExpired = l.keys.Keys()
	if time.Since(l.told) >= progressEvery {
		l.told = time.Now()
		s.log.Info("loading", zap.String("path", l.path), zap.Int64("bytes", l.read), zap.Int64("of", l.size))
	}
}

// loader reads one snapshot into a store and a broker that have nothing yet.
type loader struct {
	keys *kv.Importer
	im   *broker.Importer
	look func(*loader) error // called now and then; an error ends the loading

	path        string
	began, told time.Time // the latter: the last line about it
	read, size  int64     // bytes
	channels    broker.ImportStats
	written     time.Time // when the snapshot was begun
	writer      string    // the broker's version
}

func (l *loader) load(d *snapshot.Dir, name string) (err error) {
	l.began = time.Now()
	l.told = l.began
	r, err := d.Read(name)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	l.path = r.Path()
	for n := 0; ; n++ {
		if n%lookEvery == 0 {
			l.read, l.size = r.Progress()
			if err := l.look(l); err != nil {
				return err
			}
		}
		section, record, err := r.Next()
		if errors.Is(err, io.EOF) {
			l.read, l.size = r.Progress()
			return l.complete()
		}
		if err == nil {
			err = l.take(section, record)
		}
		if err != nil {
			return err
		}
	}
}

// errRecord says that a record is none of this broker's.
var errRecord = errors.New("not a record of this broker's version")

func (l *loader) take(section byte, record []byte) error {
	switch section {
	case sectionAbout:
		return l.about(string(record))
	case sectionChannels:
		return l.im.Record(record)
	case sectionKeys:
		return l.keys.Record(record)
	}
	return fmt.Errorf("%w: section %d", errRecord, section)
}

func (l *loader) about(text string) error {
	when, writer, _ := strings.Cut(text, " ")
	ms, err := strconv.ParseInt(when, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: written at %q", errRecord, when)
	}
	l.written, l.writer = time.UnixMilli(ms), writer
	return nil
}

func (l *loader) complete() error {
	if l.written.IsZero() {
		return fmt.Errorf("%w: it does not say when it was written", errRecord)
	}
	return l.keys.Done()
}

// broken says that an error of loading is the file's and not of the configuration
// or the machine.
func broken(err error) bool {
	for _, e := range []error{snapshot.ErrDamaged, errRecord, broker.ErrRecord, kv.ErrRecord} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// wayOut adds to an error of loading a file what a person can do.
func wayOut(path string, err error) error {
	const discard = "--discard-snapshot puts it aside and starts with the one before it, or with nothing"
	switch {
	case errors.Is(err, kv.ErrOOM):
		return fmt.Errorf("load %s: its keys need more than kv.maxmemory: raise --kv-maxmemory", path)
	case errors.Is(err, broker.ErrStateFull):
		return fmt.Errorf("load %s: its retained messages and members need more than limits.max-state-bytes: raise --max-state-bytes", path)
	case errors.Is(err, kv.ErrNoDatabase):
		return fmt.Errorf("load %s: %w: raise --kv-databases", path, err)
	case errors.Is(err, snapshot.ErrDamaged):
		return fmt.Errorf("load %w; %s", err, discard)
	case broken(err):
		return fmt.Errorf("load %s: %w; %s", path, err, discard)
	}
	return fmt.Errorf("load %s: %w", path, err)
}
