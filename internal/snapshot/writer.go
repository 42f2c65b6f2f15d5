package snapshot

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
)

const (
	magic      = "FANFARE\x01"
	blockBytes = 64 << 10
	headBytes  = 4 + 4 // of a block
	sectionEnd = 0
	// maxRecord bounds a record, and with it what a reader believes.
	maxRecord = 1 << 30
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrTooLarge says that a record is over the limit of 1 GiB.
var ErrTooLarge = errors.New("a record is too large for a snapshot")

// Writer writes a snapshot, which exists once Commit has succeeded. It holds one
// block in memory. It is used by one goroutine at a time.
type Writer struct {
	d       *Dir
	name    string
	file    *os.File
	block   []byte // with room for its head
	section byte
	records uint64
	bytes   int64
	err     error // the first one; nothing is written after it
}

// Create begins a snapshot. The caller ends it with Commit or Abort.
func (d *Dir) Create() (*Writer, error) {
	_, free, err := d.numbers()
	if err != nil {
		return nil, err
	}
	w := &Writer{d: d, name: snapshotName(free), block: make([]byte, headBytes, headBytes+blockBytes)}
	w.file, err = os.OpenFile(w.temporary(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	w.write([]byte(magic))
	return w, nil
}

func (w *Writer) temporary() string { return filepath.Join(w.d.path, w.name+tempSuffix) }

// Record adds a record to a section, a number of the caller's other than 0. What
// was written of it is copied. The error may be that of an earlier record.
func (w *Writer) Record(section byte, record []byte) error {
	if len(record) > maxRecord {
		return ErrTooLarge
	}
	if section != w.section || len(w.block)+len(record) > headBytes+blockBytes {
		w.flush()
		w.section = section
	}
	if len(w.block) == headBytes {
		w.block = append(w.block, section)
	}
	w.block = binary.AppendUvarint(w.block, uint64(len(record)))
	w.block = append(w.block, record...)
	w.records++
	return w.err
}

// flush writes the block that was begun.
func (w *Writer) flush() {
	if len(w.block) == headBytes {
		return
	}
	payload := w.block[headBytes:]
	binary.LittleEndian.PutUint32(w.block, uint32(len(payload))) // #nosec G115 -- a record is limited
	binary.LittleEndian.PutUint32(w.block[4:], crc32.Checksum(payload, castagnoli))
	w.write(w.block)
	// Where there is one processor, others would wait for a whole slice of its time.
	runtime.Gosched()
	if cap(w.block) > 4*blockBytes {
		w.block = make([]byte, headBytes, headBytes+blockBytes)
	}
	w.block = w.block[:headBytes]
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.file.Write(b)
	w.bytes += int64(n)
	w.err = err
}

// Commit makes the snapshot durable and gives it its name, which it returns with
// its size, and removes snapshots that are older than the one before it. With an
// error the one before it is still there; whether this one is, a start will see.
func (w *Writer) Commit() (name string, bytes int64, err error) {
	w.flush()
	w.section = sectionEnd
	w.block = append(w.block, sectionEnd, 8)
	w.block = binary.LittleEndian.AppendUint64(w.block, w.records)
	w.flush()
	if err := errors.Join(w.err, w.file.Sync(), w.file.Close()); err != nil {
		_ = os.Remove(w.temporary())
		return "", 0, err
	}
	if err := os.Rename(w.temporary(), filepath.Join(w.d.path, w.name)); err != nil {
		_ = os.Remove(w.temporary())
		return "", 0, err
	}
	if err := w.d.sync(); err != nil {
		return "", 0, err
	}
	_ = w.d.prune() // tried again after the next one
	return w.name, w.bytes, nil
}

// Abort forgets what was written.
func (w *Writer) Abort() {
	_ = w.file.Close()
	_ = os.Remove(w.temporary())
}

// prune removes all snapshots but the newest ones.
func (d *Dir) prune() error {
	list, _, err := d.numbers()
	if err != nil {
		return err
	}
	for len(list) > kept {
		if err := os.Remove(filepath.Join(d.path, snapshotName(list[0]))); err != nil {
			return err
		}
		list = list[1:]
	}
	return nil
}
