package snapshot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Dir is a directory of snapshots. It is used by one goroutine at a time.
type Dir struct {
	path string
	lock *os.File
}

const (
	namePrefix = "fanfare-"
	nameSuffix = ".snapshot"
	tempSuffix = ".tmp"
	cleanName  = "clean"
	lockName   = "lock"
	kept       = 2 // snapshots
)

// ErrInUse says that another process uses the directory.
var ErrInUse = errors.New("another broker uses this directory")

// Open opens a directory, makes it if it is not there, and removes what an
// interrupted write has left. Close lets others use it.
func Open(path string) (*Dir, error) {
	if err := makeDir(path); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- the operator's choice
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { // #nosec G115 -- a descriptor
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	d := &Dir{path, lock}
	if err := d.removeTemporary(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// makeDir makes a directory and those above it, durably: a file that is on the disk
// is lost with a directory that is not.
func makeDir(path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(above)
}

// Close ends the use of the directory.
func (d *Dir) Close() { _ = d.lock.Close() }

// Path returns the directory's path.
func (d *Dir) Path() string { return d.path }

func (d *Dir) removeTemporary() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), namePrefix) && strings.HasSuffix(e.Name(), tempSuffix) {
			if err := os.Remove(filepath.Join(d.path, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// numbers returns the numbers of the snapshots, in ascending order, and one above
// those of all that were: what was discarded stays.
func (d *Dir) numbers() (list []uint64, free uint64, err error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, 0, err
	}
	free = 1
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), namePrefix)
		if !ok || strings.HasSuffix(rest, tempSuffix) {
			continue
		}
		digits, _, _ := strings.Cut(rest, ".")
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil {
			continue
		}
		free = max(free, n+1)
		if snapshotName(n) == e.Name() {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, free, nil
}

func snapshotName(n uint64) string {
	return fmt.Sprintf("%s%08d%s", namePrefix, n, nameSuffix)
}

// Latest returns the name of the newest snapshot; empty if there is none.
func (d *Dir) Latest() (name string, err error) {
	list, _, err := d.numbers()
	if err != nil || len(list) == 0 {
		return "", err
	}
	return snapshotName(list[len(list)-1]), nil
}

// Read opens a snapshot by its name.
func (d *Dir) Read(name string) (*Reader, error) {
	return newReader(filepath.Join(d.path, name))
}

// Discard renames the newest snapshot, so that it is none any more, and returns
// its new path; empty if there was no snapshot.
func (d *Dir) Discard() (path string, err error) {
	name, err := d.Latest()
	if err != nil || name == "" {
		return "", err
	}
	path = filepath.Join(d.path, name+".discarded")
	if err := os.Rename(filepath.Join(d.path, name), path); err != nil {
		return "", err
	}
	return path, d.sync()
}

// MarkClean says that the node stops in order and the snapshot has all it knew.
func (d *Dir) MarkClean(name string) error {
	temporary := filepath.Join(d.path, namePrefix+cleanName+tempSuffix)
	if err := writeSynced(temporary, []byte(name+"\n")); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(d.path, cleanName)); err != nil {
		return err
	}
	return d.sync()
}

// TakeClean returns what MarkClean has said last, empty if nothing, and removes it
// durably: from its return on the next start knows that this one was not stopped
// in order, unless it says so.
func (d *Dir) TakeClean() (name string, err error) {
	path := filepath.Join(d.path, cleanName)
	text, err := os.ReadFile(path) // #nosec G304 -- the operator's choice
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := os.Remove(path); err != nil {
		return "", err
	}
	return strings.TrimSpace(string(text)), d.sync()
}

func (d *Dir) sync() error { return syncDir(d.path) }

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	f, err := os.Open(path) // #nosec G304 -- the operator's choice
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- the operator's choice
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}
