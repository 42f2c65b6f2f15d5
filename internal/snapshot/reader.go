package snapshot

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// ErrDamaged says that a file is not a snapshot, or not as it was written.
var ErrDamaged = errors.New("damaged")

// Reader reads a snapshot. Every record it gives out stands in a block whose
// checksum is right; that all of them are there is known at the end.
type Reader struct {
	path    string
	file    io.Closer
	in      *bufio.Reader
	size    int64 // of the file
	read    int64
	section byte
	block   bytes.Buffer
	rest    []byte // of the block
	records uint64
	ended   bool
}

func newReader(path string) (*Reader, error) {
	f, err := os.Open(path) // #nosec G304 -- the operator's choice
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r := &Reader{path: path, file: f, in: bufio.NewReaderSize(f, blockBytes), size: info.Size()}
	if err := r.begin(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

func (r *Reader) begin() error {
	head := make([]byte, len(magic))
	if err := r.fill(head); err != nil {
		return err
	}
	switch {
	case string(head) == magic:
		return nil
	case bytes.HasPrefix(head, []byte(magic[:len(magic)-1])):
		return r.damaged("version %d, and this broker reads version %d", head[len(head)-1], magic[len(magic)-1])
	}
	return r.damaged("not a snapshot")
}

// Path returns the file's path.
func (r *Reader) Path() string { return r.path }

// Progress returns how many bytes of how many were read.
func (r *Reader) Progress() (read, size int64) { return r.read, r.size }

// Close ends reading.
func (r *Reader) Close() error { return r.file.Close() }

// Next returns the next record and its section; the record is valid until the
// next call. io.EOF: that was all, and nothing is missing. Every other error is
// ErrDamaged, or one of reading the file.
func (r *Reader) Next() (section byte, record []byte, err error) {
	for len(r.rest) == 0 {
		if r.ended {
			return 0, nil, io.EOF
		}
		if err := r.next(); err != nil {
			return 0, nil, err
		}
	}
	size, n := binary.Uvarint(r.rest)
	if n <= 0 || size > uint64(len(r.rest)-n) {
		return 0, nil, r.damaged("a record is longer than its block")
	}
	end := n + int(size) // #nosec G115 -- within the block
	record, r.rest = r.rest[n:end:end], r.rest[end:]
	r.records++
	return r.section, record, nil
}

// next reads a block.
func (r *Reader) next() error {
	var head [headBytes]byte
	if err := r.fill(head[:]); err != nil {
		return err
	}
	length := binary.LittleEndian.Uint32(head[:])
	if length == 0 || length > maxRecord+blockBytes {
		return r.damaged("a block of %d bytes", length)
	}
	r.block.Reset()
	// Memory grows with what is there, whatever the head announces.
	n, err := io.CopyN(&r.block, r.in, int64(length))
	r.read += n
	if err != nil {
		return r.short(err)
	}
	payload := r.block.Bytes()
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return r.damaged("a checksum is wrong")
	}
	r.section, r.rest = payload[0], payload[1:]
	if r.section == sectionEnd {
		return r.end()
	}
	return nil
}

// end checks the last block: it counts the records, and nothing follows it.
func (r *Reader) end() error {
	if len(r.rest) != 9 || r.rest[0] != 8 {
		return r.damaged("the end is not one")
	}
	if n := binary.LittleEndian.Uint64(r.rest[1:]); n != r.records {
		return r.damaged("%d records, and there were %d", r.records, n)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return r.damaged("something follows the end")
	}
	r.rest, r.ended = nil, true
	return nil
}

func (r *Reader) fill(b []byte) error {
	n, err := io.ReadFull(r.in, b)
	r.read += int64(n)
	return r.short(err)
}

// short says what an end in the middle means.
func (r *Reader) short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return r.damaged("it ends too early")
	}
	return err
}

func (r *Reader) damaged(format string, args ...any) error {
	return fmt.Errorf("%s, at byte %d: %w: %s", r.path, r.read, ErrDamaged, fmt.Sprintf(format, args...))
}
