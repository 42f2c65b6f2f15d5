//go:build linux

package main

import (
	"testing"
	"time"
)

func TestBenchmarkOutput(t *testing.T) {
	t.Parallel()
	const head = `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"` + "\n"
	row, err := parseBenchmark(head + `"SET","100000.00","0.25","0.08","0.247","0.3","0.423","1.5"` + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if row["rps"] != 100_000 || row["p50_latency_ms"] != .247 || row["p99_latency_ms"] != .423 {
		t.Errorf("got %v", row)
	}
	for name, out := range map[string]string{
		"nothing":         "",
		"no figures":      head,
		"two tests":       head + `"SET","1","1","1","1","1","1","1"` + "\n" + `"GET","1","1","1","1","1","1","1"` + "\n",
		"not a number":    head + `"SET","fast","1","1","1","1","1","1"` + "\n",
		"another version": "\"SET\",\"100000.00\"\n\"GET\",\"1\"\n",
	} {
		if row, err := parseBenchmark(out); err == nil {
			t.Errorf("%s: got %v, want an error", name, row)
		}
	}
}

func TestAGlanceVoidsAWrongReplyAndTimesRightOnes(t *testing.T) {
	t.Parallel()
	first := time.Now()
	g := &glance{value: []byte("$1\r\nv\r\n")}
	for i := range 4 {
		g.asked = append(g.asked, first.Add(time.Duration(i-1)*time.Hour))
	}
	for _, piece := range []string{"$1\r\nv\r\n$1\r", "\nv\r\n$1\r\nv\r\n"} {
		if err := g.got([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.times) != 3 {
		t.Fatalf("got %d times, want 3", len(g.times))
	}
	// The first was asked before the first deadline and does not count.
	if f := g.report(first); f["max"] > float64(time.Hour.Microseconds()) || f["p50"] > f["max"] {
		t.Errorf("got %v", f)
	}
	if err := g.got([]byte("$-1\r\n....")); err == nil {
		t.Error("a missing key was accepted")
	}
	for _, reply := range []string{"-ERR\r\n", ":12", ":x\r\n"} {
		if err := g.counted([]byte(reply)); err == nil {
			t.Errorf("DBSIZE: %q was accepted", reply)
		}
	}
	if err := g.counted([]byte(":12\r\n")); err != nil || g.left != 12 {
		t.Errorf("got %d keys and %v, want 12", g.left, err)
	}
}
