package resp

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/broker"
)

// saving is a server whose snapshots a test decides on.
type saving struct {
	*node
	loading atomic.Bool
	begun   chan struct{}
	result  chan error
	stats   SnapshotStats
}

func startSaving(t *testing.T) *saving {
	t.Helper()
	s := &saving{begun: make(chan struct{}, 1), result: make(chan error)}
	s.node = start(t, func(c *Config, _ *broker.Config) {
		c.Snapshots = &Snapshots{
			Loading: s.loading.Load,
			Save: func() error {
				s.begun <- struct{}{}
				return <-s.result
			},
			Background: func() error {
				select {
				case err := <-s.result:
					return err
				default:
					return nil
				}
			},
			Stats: func() SnapshotStats { return s.stats },
		}
	})
	return s
}

func TestLoadingLetsRunOnlyWhatNeedsNoData(t *testing.T) {
	t.Parallel()
	const loading = "-LOADING Redis is loading the dataset in memory"
	s := startSaving(t)
	s.loading.Store(true)
	c := s.dial()
	for _, command := range []string{
		"PING", "GET k", "SET k v", "SAVE", "BGSAVE", "PUBLISH c m", "SUBSCRIBE c", "PSUBSCRIBE *", "SSUBSCRIBE c",
		"SPUBLISH c m", "RETAIN c m", "HISTORY c", "PRESENCE JOIN c m", "CHANNEL INFO c", "DBSIZE", "FLUSHALL",
	} {
		if got := c.send(command).read(); got != `-"`+loading[1:]+`"` {
			t.Errorf("%s: got %s", command, got)
		}
	}
	for _, command := range []string{"INFO", "CLIENT ID", "TIME", "LASTSAVE", "SELECT 1", "COMMAND COUNT", "CONFIG GET x", "HELLO"} {
		if got := c.send(command).read(); strings.HasPrefix(got, "-") {
			t.Errorf("%s: got %s", command, got)
		}
	}
	c.send("MULTI|SET k v|EXEC").want("+OK", `-"`+loading[1:]+`"`, `-"EXECABORT Transaction discarded because of previous errors."`)
	s.loading.Store(false)
	c.send("PING").want("+PONG")
}

func TestSaveAnswersWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	s := startSaving(t)
	c := s.dial()
	for want, err := range map[string]error{
		"+OK": nil, `-"` + textSaving + `"`: fmt.Errorf("save: %w", ErrSaving), `-"` + textSaveFailed + `"`: errors.New("disk full: secret"),
	} {
		c.send("SAVE")
		<-s.begun
		s.result <- err
		c.want(want)
	}
	c.send("BGSAVE").want(`+"Background saving started"`)
	c.send("BGSAVE schedule").want(`+"Background saving started"`)
	c.send("MULTI|SET k v|BGSAVE|EXEC").want("+OK", "+QUEUED", "+QUEUED", `[+OK +"Background saving scheduled"]`)
}

func TestWithoutADirectoryThereIsNothingToSaveTo(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	c := n.dial()
	c.send("SAVE|BGSAVE").want(`-"`+textNoSnapshots+`"`, `-"`+textNoSnapshots+`"`)
	c.send("LASTSAVE").want(fmt.Sprintf(":%d", n.server.started.Unix()))
	expectInfo(t, n, "snapshots_enabled:0", "last_stop:unknown", "lost_since:0", "loading:0", "rdb_saves:0")
}

// A save may take long: nobody else waits, and what is pushed to the connection
// meanwhile arrives.
func TestWhileOneSavesOthersGoOn(t *testing.T) {
	t.Parallel()
	s := startSaving(t)
	c, other := s.dial(), s.dial()
	c.send("HELLO 3").read()
	c.send("SUBSCRIBE news").want(">[subscribe news :1]")
	c.send("SAVE")
	<-s.begun
	other.send("SET k v").want("+OK")
	other.send("PUBLISH news 1").want(":1")
	c.want(`>[message news "1"]`)
	s.result <- nil
	c.want("+OK")
}

// The server's stop writes a snapshot of its own.
func TestAStopDoesNotWaitForSave(t *testing.T) {
	t.Parallel()
	s := startSaving(t)
	c := s.dial().send("SAVE")
	<-s.begun
	defer func() { s.result <- nil }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.server.Quiesce(ctx); err != nil {
		t.Errorf("quiesce: %v", err)
	}
	if err := s.server.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
	if got := c.read(); got != "EOF" {
		t.Errorf("got %s, want the end", got)
	}
}

func TestInfoTellsAboutSnapshots(t *testing.T) {
	t.Parallel()
	s := startSaving(t)
	c := s.dial()
	c.send("SET k v|SET k w|DEL k").want("+OK", "+OK", ":1")
	s.stats = SnapshotStats{
		Last: time.Unix(1700000000, 0), Failed: true, Saving: time.Now().Add(-90 * time.Second), Took: 2500 * time.Millisecond,
		Pause: 1500 * time.Microsecond, Bytes: 1234, Saves: 3, Failures: 2, Changes: 1, LastStop: "unclean",
		LostSince: time.Unix(1600000000, 0), KeysLoaded: 7, KeysExpired: 8,
	}
	expectInfo(t, s.node, "rdb_changes_since_last_save:2", "rdb_bgsave_in_progress:1", "rdb_last_save_time:1700000000",
		"rdb_last_bgsave_status:err", "rdb_last_bgsave_time_sec:2", "rdb_current_bgsave_time_sec:90", "rdb_saves:3",
		"rdb_last_load_keys_loaded:7", "rdb_last_load_keys_expired:8", "snapshots_enabled:1", "snapshot_failures:2",
		"snapshot_bytes:1234", "snapshot_longest_pause_usec:1500", "last_stop:unclean", "lost_since:1600000000", "aof_enabled:0")
	c.send("LASTSAVE").want(":1700000000")

	s.stats = SnapshotStats{LoadBegan: time.Unix(1500000000, 0), LoadSize: 400, Loaded: 100, LastStop: "unknown"}
	s.loading.Store(true)
	expectInfo(t, s.node, "loading:1", "loading_start_time:1500000000", "loading_total_bytes:400", "loading_loaded_bytes:100",
		"loading_loaded_perc:25.00", "rdb_last_bgsave_status:ok", "rdb_last_bgsave_time_sec:-1", "rdb_current_bgsave_time_sec:-1")
}

// INFO inside EXEC must not wait for the locks that EXEC holds.
func TestInfoOfSnapshotsInsideATransaction(t *testing.T) {
	t.Parallel()
	s := startSaving(t)
	c := s.dial().send("MULTI|SET k v|INFO persistence|EXEC").want("+OK", "+QUEUED", "+QUEUED")
	if got := c.read(); !strings.Contains(got, "rdb_changes_since_last_save:") {
		t.Errorf("got %s", got)
	}
	s.dial().send("SET k v").want("+OK")
}

func expectInfo(t *testing.T, n *node, fields ...string) {
	t.Helper()
	text := n.dial().send("INFO persistence").read()
	for _, want := range fields {
		if !strings.Contains(text, `\n`+want+`\r\n`) {
			t.Errorf("INFO has no %s:\n%s", want, text)
		}
	}
}
