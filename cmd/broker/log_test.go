package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"go.uber.org/zap"
)

// What a peer sends into a field, and even into a message, stays on one line
// and in its place, in both formats.
func TestLogEntriesCannotBeForged(t *testing.T) {
	t.Parallel()
	hostile := "x\n2030-01-01T00:00:00Z  INFO  forged\r\x1b[2J\u202e\u2028\u0085\xff\U000e0001"
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log, err := newLog("info", format, &out)
		if err != nil {
			t.Fatal(err)
		}
		log.With(zap.String("remote", hostile)).Info("listening "+hostile, zap.String("channel", hostile), zap.ByteString("bytes", []byte(hostile)))
		line := strings.TrimSuffix(out.String(), "\n")
		for _, r := range line {
			if r < ' ' || r == 0x7f || r == 0x85 || r == 0x202e || r == 0x2028 || r == 0xe0001 {
				t.Errorf("%s: %U stands in the entry as it is: %q", format, r, line)
			}
		}
		if format != "json" {
			continue
		}
		entry := map[string]string{}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if want := strings.ToValidUTF8(hostile, "\ufffd"); entry["channel"] != want {
			t.Errorf("got field %q, want %q", entry["channel"], want)
		}
	}
}

func TestOrdinaryTextIsNotEscaped(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", `with "quotes" and \ backslash`, "Grüße, 世界 🎉 �"} {
		if got := escape(s); got != s {
			t.Errorf("escape(%q): got %q", s, got)
		}
	}
}

func TestLogLevelHidesWhatIsBelow(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := newLog("warn", "console", &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Info("hidden")
	log.Warn("shown")
	if got := out.String(); strings.Contains(got, "hidden") || !strings.Contains(got, "WARN  shown") {
		t.Errorf("got %q", got)
	}
}
