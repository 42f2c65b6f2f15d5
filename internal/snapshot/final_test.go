package snapshot

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// The last snapshot begins when the one that is being written has ended, so that it
// has what was changed meanwhile, and the mark of the stop names it.
func TestTheLastSnapshotComesBehindTheOneUnderWay(t *testing.T) {
	path := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		begun, finish := 0, make(chan struct{})
		s := NewSaver(d, func(*Writer) (time.Duration, error) {
			if begun++; begun == 1 {
				<-finish
			}
			return 0, nil
		}, func() uint64 { return 0 }, zap.NewNop())
		if err := s.Background(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- s.Final(true) }()
		synctest.Wait()
		if begun != 1 || len(ended) != 0 {
			t.Errorf("while one is under way: %d have begun, the last one has ended %d times", begun, len(ended))
		}
		close(finish)
		if err := <-ended; err != nil || begun != 2 {
			t.Errorf("got %v, %d snapshots, want 2", err, begun)
		}
		if mark, err := d.TakeClean(); mark != snapshotName(2) || err != nil {
			t.Errorf("the mark: got %q, %v, want %q", mark, err, snapshotName(2))
		}
	})
}
