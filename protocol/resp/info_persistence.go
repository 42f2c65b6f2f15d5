package resp

import (
	"strconv"
	"time"
)

// infoPersistence has Redis' fields, and behind them our own: how the last stop
// was, and since when changes are lost if it was not in order.
func infoPersistence(x *call) [][2]string {
	s := x.conn.server
	n, loading := SnapshotStats{Last: s.started, LastStop: "unknown"}, false
	if s.cfg.Snapshots != nil {
		n, loading = s.cfg.Snapshots.Stats(), s.cfg.Snapshots.Loading()
	}
	lines := [][2]string{{"loading", bit(loading)}}
	if loading {
		lines = append(lines, infoLoading(&n)...)
	}
	lines = append(lines, infoConstant("Persistence")...)
	changes := x.storeStats().Changes + s.cfg.Broker.Changes()
	return append(lines, [][2]string{
		{"rdb_changes_since_last_save", strconv.FormatUint(max(changes, n.Changes)-n.Changes, 10)},
		{"rdb_bgsave_in_progress", bit(!n.Saving.IsZero())},
		{"rdb_last_save_time", itoa(n.Last.Unix())},
		{"rdb_last_bgsave_status", map[bool]string{false: "ok", true: "err"}[n.Failed]},
		{"rdb_last_bgsave_time_sec", secondsOrNone(n.Took, n.Saves > 0)},
		{"rdb_current_bgsave_time_sec", secondsOrNone(time.Since(n.Saving), !n.Saving.IsZero())},
		{"rdb_saves", itoa(n.Saves)},
		{"rdb_last_load_keys_loaded", itoa(n.KeysLoaded)},
		{"rdb_last_load_keys_expired", itoa(n.KeysExpired)},
		{"snapshots_enabled", bit(s.cfg.Snapshots != nil)},
		{"snapshot_failures", itoa(n.Failures)},
		{"snapshot_bytes", itoa(n.Bytes)},
		{"snapshot_longest_pause_usec", itoa(n.Pause.Microseconds())},
		{"last_stop", n.LastStop},
		{"lost_since", unixOrZero(n.LostSince)},
	}...)
}

func infoLoading(n *SnapshotStats) [][2]string {
	return [][2]string{
		{"loading_start_time", itoa(n.LoadBegan.Unix())},
		{"loading_total_bytes", itoa(n.LoadSize)},
		{"loading_loaded_bytes", itoa(n.Loaded)},
		{"loading_loaded_perc", strconv.FormatFloat(100*float64(n.Loaded)/float64(max(1, n.LoadSize)), 'f', 2, 64)},
	}
}

func bit(set bool) string {
	if set {
		return "1"
	}
	return "0"
}

// secondsOrNone is how INFO shows a duration that there may not be.
func secondsOrNone(d time.Duration, known bool) string {
	if !known {
		return "-1"
	}
	return itoa(int64(d.Seconds()))
}

func unixOrZero(t time.Time) string {
	if t.IsZero() {
		return "0"
	}
	return itoa(t.Unix())
}
