package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

type record struct {
	section byte
	text    string
}

func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// write makes a snapshot of the records.
func write(t *testing.T, d *Dir, records []record) string {
	t.Helper()
	w, err := d.Create()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Record(r.section, []byte(r.text)); err != nil {
			t.Fatal(err)
		}
	}
	name, size, err := w.Commit()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(d.Path(), name)); err != nil || info.Size() != size {
		t.Fatalf("%s: %v, %d bytes reported", name, err, size)
	}
	return name
}

// read returns the records up to the first error, which is io.EOF for a good file.
func read(d *Dir, name string) (records []record, err error) {
	r, err := d.Read(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	for {
		section, text, err := r.Next()
		if err != nil {
			return records, err
		}
		records = append(records, record{section, string(text)})
	}
}

func sample() []record {
	large := strings.Repeat("large", 50_000)
	list := []record{{1, "first"}, {1, ""}, {2, "second"}, {2, large}, {2, "behind it"}, {1, "again"}}
	for i := range 5000 {
		list = append(list, record{3, strings.Repeat("x", i%100)})
	}
	return list
}

func TestWhatWasWrittenIsRead(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	for name, want := range map[string][]record{"nothing": nil, "all kinds": sample()} {
		got, err := read(d, write(t, d, want))
		if !errors.Is(err, io.EOF) || !slices.Equal(got, want) {
			t.Errorf("%s: got %d records, %v, want %d", name, len(got), err, len(want))
		}
	}
}

// Whatever single byte is another one, or wherever the file ends: it is noticed,
// and no record that was not written is given out.
func TestDamageIsNoticed(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	want := []record{{1, "first"}, {2, "second"}, {2, strings.Repeat("x", 300)}}
	path := filepath.Join(d.Path(), write(t, d, want))
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, at int, file []byte) {
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(d, filepath.Base(path))
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s at %d: got %v, want damage", what, at, err)
		}
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("%s at %d: got records that were not written: %v", what, at, got)
		}
	}
	for i := range good {
		file := slices.Clone(good)
		file[i] ^= 1 << (i % 8)
		check("a flipped bit", i, file)
		check("the end", i, good[:i])
	}
	check("something behind", len(good), append(slices.Clone(good), 0))
}

func TestTheErrorNamesTheFileAndWhatIsWrong(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	for text, want := range map[string]string{
		"REDIS0011 and more": "not a snapshot",
		"FANFARE\x02":        "version 2, and this broker reads version 1",
		"FAN":                "ends too early",
	} {
		path := filepath.Join(d.Path(), snapshotName(1))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := d.Read(snapshotName(1))
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want the path and %q", text, err, want)
		}
	}
}

func TestTheNewestTwoAreKept(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	if name, err := d.Latest(); name != "" || err != nil {
		t.Errorf("latest of nothing: got %q, %v", name, err)
	}
	var names []string
	for _, text := range []string{"a", "b", "c", "d"} {
		names = append(names, write(t, d, []record{{1, text}}))
	}
	for i, name := range names {
		if _, err := os.Stat(filepath.Join(d.Path(), name)); (err == nil) != (i >= 2) {
			t.Errorf("snapshot %d of 4: %v", i+1, err)
		}
	}
	if name, err := d.Latest(); name != names[3] || err != nil {
		t.Errorf("latest: got %q, %v, want %q", name, err, names[3])
	}
}

// A writer that is not committed, or whose disk is full, leaves what was there.
func TestWhatIsNotCommittedIsNoSnapshot(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d := open(t, path)
	first := write(t, d, []record{{1, "good"}})
	w, err := d.Create()
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Record(1, []byte("cut"))
	_ = w.file.Close() // as the end of the process would; writing fails from now on
	if _, _, err := w.Commit(); err == nil {
		t.Error("a commit that could not write succeeded")
	}
	w, err = d.Create()
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Record(1, make([]byte, 2*blockBytes))
	d.Close()
	d = open(t, path)
	if name, err := d.Latest(); name != first || err != nil {
		t.Errorf("latest: got %q, %v, want %q", name, err, first)
	}
	if left, _ := filepath.Glob(filepath.Join(path, "*"+tempSuffix)); len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
}

func TestADirectoryHasOneUser(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "made", "as needed")
	d := open(t, path)
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second user: got %v, want %v", err, ErrInUse)
	}
	d.Close()
	open(t, path)
}

func TestACleanMarkIsTakenOnce(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	name := write(t, d, nil)
	if err := d.MarkClean(name); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{name, ""} {
		if got, err := d.TakeClean(); got != want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// A later snapshot does not take the discarded one's number, so that it can be
// discarded too without replacing it.
func TestADiscardedSnapshotStaysForThePerson(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	older := write(t, d, []record{{1, "older"}})
	var paths []string
	for range 2 {
		newer := write(t, d, []record{{1, "newer"}})
		path, err := d.Discard()
		if err != nil || filepath.Base(path) == newer {
			t.Fatalf("got %q, %v", path, err)
		}
		paths = append(paths, path)
		if name, _ := d.Latest(); name != older {
			t.Errorf("latest: got %q, want %q", name, older)
		}
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil || paths[0] == paths[1] {
			t.Errorf("discarded %q: %v", paths, err)
		}
	}
}

func TestASaverSavesOneAtATime(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	begun, finish := make(chan struct{}), make(chan struct{})
	changes := uint64(7)
	s := NewSaver(d, func(w *Writer) (time.Duration, error) {
		close(begun)
		<-finish
		return time.Second, w.Record(1, []byte("x"))
	}, func() uint64 { return changes }, zap.NewNop())
	if err := s.Background(); err != nil {
		t.Fatal(err)
	}
	<-begun
	if _, err := s.Save(); !errors.Is(err, ErrSaving) {
		t.Errorf("save meanwhile: got %v, want %v", err, ErrSaving)
	}
	if s.Stats().Saving.IsZero() {
		t.Error("stats do not tell of the save that is under way")
	}
	close(finish)
	s.background.Wait()
	st := s.Stats()
	if st.Saves != 1 || st.Pause != time.Second || st.Failed || !st.Saving.IsZero() || st.Saved != changes {
		t.Errorf("stats: got %+v", st)
	}
}

func TestAFailedSaveIsCountedAndLeavesTheOneBefore(t *testing.T) {
	t.Parallel()
	d := open(t, t.TempDir())
	good := write(t, d, nil)
	full := errors.New("no space left on device")
	s := NewSaver(d, func(*Writer) (time.Duration, error) { return 0, full }, func() uint64 { return 0 }, zap.NewNop())
	if _, err := s.Save(); !errors.Is(err, full) {
		t.Errorf("got %v, want %v", err, full)
	}
	if err := s.Final(true); !errors.Is(err, full) {
		t.Errorf("final: got %v, want %v", err, full)
	}
	if st := s.Stats(); st.Failures != 2 || !st.Failed || st.Saves != 0 {
		t.Errorf("stats: got %+v", st)
	}
	if name, _ := d.Latest(); name != good {
		t.Errorf("latest: got %q, want %q", name, good)
	}
	if name, _ := d.TakeClean(); name != "" {
		t.Errorf("the stop was marked clean: %q", name)
	}
}

// Whatever is in a file, reading it ends, gives out no record that is not in it,
// and takes memory for what is there, not for what is announced.
func FuzzReader(f *testing.F) {
	dir := f.TempDir()
	d, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	block := func(payload string) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(payload)))
		b = binary.LittleEndian.AppendUint32(b, crc32.Checksum([]byte(payload), castagnoli))
		return append(b, payload...)
	}
	f.Add([]byte(magic))
	f.Add(block("\x01\x05first"))
	f.Add(block("\x01\xff\xff\xff\xff\x7ffirst"))
	f.Add(block("\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add(append([]byte(magic), 0xff, 0xff, 0xff, 0x3f, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, file []byte) {
		if err := os.WriteFile(filepath.Join(dir, snapshotName(1)), file, 0o600); err != nil {
			t.Fatal(err)
		}
		records, err := read(d, snapshotName(1))
		if !errors.Is(err, io.EOF) && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v", err)
		}
		for _, r := range records {
			if !bytes.Contains(file, []byte(r.text)) {
				t.Errorf("record %q is not in the file", r.text)
			}
		}
	})
}

// The interval writes what has changed since the last snapshot, and nothing else.
func TestASaverSavesEachIntervalIfSomethingHasChanged(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		var changes atomic.Uint64
		s := NewSaver(d, func(*Writer) (time.Duration, error) { return 0, nil }, changes.Load, zap.NewNop())
		done, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			s.Every(time.Minute, done)
		}()
		for i, step := range []struct {
			changes uint64
			want    int64
		}{{0, 0}, {1, 1}, {0, 1}, {5, 2}, {0, 2}} {
			changes.Add(step.changes)
			<-time.After(time.Minute + time.Second)
			synctest.Wait()
			if got := s.Stats().Saves; got != step.want {
				t.Errorf("after interval %d: got %d saves, want %d", i, got, step.want)
			}
		}
		close(done)
		<-ended
	})
}

func TestOnlyACleanStopIsMarked(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{false, true} {
		d := open(t, t.TempDir())
		s := NewSaver(d, func(*Writer) (time.Duration, error) { return 0, nil }, func() uint64 { return 0 }, zap.NewNop())
		if err := s.Final(clean); err != nil {
			t.Fatal(err)
		}
		latest, _ := d.Latest()
		if mark, _ := d.TakeClean(); latest == "" || (mark == latest) != clean {
			t.Errorf("clean %v: got mark %q, latest %q", clean, mark, latest)
		}
		if err := s.Background(); !errors.Is(err, ErrSaving) {
			t.Errorf("a save after the last: got %v, want %v", err, ErrSaving)
		}
	}
}
