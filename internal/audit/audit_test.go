package audit

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func observed() (*Log, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.DebugLevel)
	return New(zap.New(core)), logs
}

func TestAnAddressHasAFewLinesAndTheRestIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, logs := observed()
		loud, quiet := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		for range 2 {
			for range 100 {
				l.Warn(loud, "refused")
			}
			l.Warn(quiet, "refused")
			if got, want := len(logs.TakeAll()), LinesOfOne+1; got != want {
				t.Errorf("got %d lines, want %d: a loud address must not hide a quiet one", got, want)
			}
			<-time.After(Window)
			synctest.Wait()
			lines := logs.TakeAll()
			if len(lines) != 1 {
				t.Fatalf("got %v, want one line about those left out", lines)
			}
			want := map[string]any{"suppressed": int64(95), "addresses": int64(1), "remote": "192.0.2.1", "suppressed_of_remote": int64(95)}
			if got := lines[0].ContextMap(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		<-time.After(Window)
		if logs.Len() != 0 {
			t.Errorf("got %v in a window without events", logs.All())
		}
	})
}

func TestManyAddressesHaveLinesTogetherToo(t *testing.T) {
	t.Parallel()
	l, logs := observed()
	const n = 2 * maxCounted
	for i := range n {
		l.Warn(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), "refused")
	}
	if got := logs.Len(); got != LinesOfAll {
		t.Errorf("got %d lines, want %d", got, LinesOfAll)
	}
	if got := len(l.of); got != maxCounted {
		t.Errorf("%d addresses are remembered, want %d", got, maxCounted)
	}
	logs.TakeAll()
	l.Close()
	if lines := logs.TakeAll(); len(lines) != 1 || lines[0].ContextMap()["suppressed"] != int64(n-LinesOfAll) {
		t.Errorf("got %v, want one line that counts %d", lines, n-LinesOfAll)
	}
	l.Close()
	if logs.Len() != 0 {
		t.Errorf("told twice: %v", logs.All())
	}
}

func TestAddressesThatOnePeerMayHaveCountAsOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"the same network of IPv6":             {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		"another network of IPv6":              {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		"an IPv4 address in both of its forms": {"192.0.2.1", "::ffff:192.0.2.1", true},
		"two IPv4 addresses":                   {"192.0.2.1", "192.0.2.2", false},
		"zones":                                {"fe80::1%a", "fe80::1%b", true},
	} {
		if got := network(netip.MustParseAddr(c.a)) == network(netip.MustParseAddr(c.b)); got != c.same {
			t.Errorf("%s: got %v, want %v", name, got, c.same)
		}
	}
	if got := network(netip.Addr{}); got.IsValid() {
		t.Errorf("no address: got %v", got)
	}
}

func TestAddressOfAPeer(t *testing.T) {
	t.Parallel()
	if got := Address(&net.TCPAddr{IP: net.ParseIP("::ffff:192.0.2.1"), Port: 5}); got != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("got %v", got)
	}
	if got := Address(&net.UnixAddr{Name: "x"}); got.IsValid() {
		t.Errorf("a Unix socket's peer: got %v", got)
	}
}

func TestWhatAStrangerSentIsCut(t *testing.T) {
	t.Parallel()
	if got := Shorten(string(make([]byte, 1000))); len(got) != Shown {
		t.Errorf("got %d bytes, want %d", len(got), Shown)
	}
	if got := Shorten("abc"); got != "abc" {
		t.Errorf("got %q", got)
	}
}
