package kv

import (
	"errors"
	"math"
	"testing"
)

// The table was made by asking redis-server for CONFIG GET after CONFIG SET.
func TestEventClassesPrintAsRedisDoes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"none", "", ""},
		{"A stands for all but m and n", "AKE", "AKE"},
		{"all letters become A", "g$lshzxetdKE", "AKE"},
		{"n is not printed beside A", "AKEn", "AKE"},
		{"m is", "AKEm", "AKEm"},
		{"order is Redis', not the caller's", "mKExg", "gxKEm"},
		{"repeats do not matter", "xxEE", "xE"},
		{"n without A", "nE", "nE"},
		{"one class missing", "g$lshzxetKEn", "g$lshzxetnKE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseEvents(tt.in)
			if err != nil || c.String() != tt.want {
				t.Errorf("%q: got %q, %v, want %q", tt.in, c, err, tt.want)
			}
		})
	}
	if _, err := ParseEvents("KEq"); !errors.Is(err, ErrEventClass) {
		t.Errorf("unknown letter: got %v, want %v", err, ErrEventClass)
	}
}

func TestEventsNeedAChannelAndTheirClass(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, mask string
		want       int // of the events new, set, expire
	}{
		{"nothing set", "", 0},
		{"classes without K or E", "An", 0},
		{"K is enough", "KAn", 3},
		{"E is enough", "EAn", 3},
		{"A without n", "EA", 2},
		{"one class", "Eg", 1},
		{"another class", "Ex", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := 0
			s := newStore(Config{Event: func(int, EventClass, string, string) { got++ }})
			mask, err := ParseEvents(tt.mask)
			if err != nil {
				t.Fatal(err)
			}
			s.SetEventMask(mask)
			put(s, 0, "k", 1000)
			if got != tt.want {
				t.Errorf("mask %q: got %d events, want %d", tt.mask, got, tt.want)
			}
		})
	}
	s := newStore(Config{})
	s.SetEventMask(EventAll | EventKeyevent)
	put(s, 0, "k", 1000) // nobody to tell
}

func TestParseIntTakesWhatRedisTakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"7", 7, true}, {"-1", -1, true}, {"1234567890", 1234567890, true},
		{"9223372036854775807", math.MaxInt64, true}, {"-9223372036854775808", math.MinInt64, true},
		{"9223372036854775808", 0, false}, {"-9223372036854775809", 0, false},
		{"", 0, false}, {"-", 0, false}, {"+1", 0, false}, {"01", 0, false}, {"-0", 0, false}, {"00", 0, false},
		{" 1", 0, false}, {"1 ", 0, false}, {"1.0", 0, false}, {"1e3", 0, false}, {"0x1", 0, false}, {"1_0", 0, false},
		{"-01", 0, false}, {"99999999999999999999999999", 0, false}, {"\x00", 0, false},
	}
	for _, tt := range tests {
		got, err := ParseInt([]byte(tt.in))
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: got %d, %v, want %d, ok %v", tt.in, got, err, tt.want, tt.ok)
		}
		if err != nil && !errors.Is(err, ErrNotInteger) {
			t.Errorf("%q: got %v, want %v", tt.in, err, ErrNotInteger)
		}
	}
}

func TestDeadlinesThatOverflowAreRefused(t *testing.T) {
	t.Parallel()
	const now = 1_700_000_000_000
	tests := []struct {
		name   string
		value  int64
		unit   Unit
		base   int64
		want   int64
		expire bool // accepted by EXPIRE
		set    bool // accepted by SET
	}{
		{"seconds from now", 10, Seconds, now, now + 10_000, true, true},
		{"milliseconds from now", 10, Milliseconds, now, now + 10, true, true},
		{"absolute seconds", 10, Seconds, 0, 10_000, true, true},
		{"zero", 0, Seconds, now, now, true, false},
		{"negative", -5, Seconds, now, now - 5000, true, false},
		{"seconds that do not fit as milliseconds", math.MaxInt64/1000 + 1, Seconds, 0, 0, false, false},
		{"negative seconds that do not fit", math.MinInt64/1000 - 1, Seconds, 0, 0, false, false},
		{"the sum does not fit", math.MaxInt64 - now + 1, Milliseconds, now, 0, false, false},
		{"the sum just fits", math.MaxInt64 - now, Milliseconds, now, math.MaxInt64, true, true},
		{"least milliseconds", math.MinInt64, Milliseconds, now, math.MinInt64 + now, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for who, f := range map[string]func(int64, Unit, int64) (int64, error){"set": SetDeadline, "expire": ExpireDeadline} {
				want, ok := tt.want, tt.expire
				if who == "set" && !tt.set {
					want, ok = 0, false
				}
				got, err := f(tt.value, tt.unit, tt.base)
				if got != want || (err == nil) != ok || err != nil && !errors.Is(err, ErrExpireTime) {
					t.Errorf("%s: got %d, %v, want %d, ok %v", who, got, err, want, ok)
				}
			}
		})
	}
}

func TestExpireConditionsThatExcludeEachOther(t *testing.T) {
	t.Parallel()
	for c := range ExpireCondition(16) {
		var want error
		switch {
		case c&ExpireNX != 0 && c&(ExpireXX|ExpireGT|ExpireLT) != 0:
			want = ErrExpireNX
		case c&ExpireGT != 0 && c&ExpireLT != 0:
			want = ErrExpireGTLT
		}
		if err := c.Validate(); !errors.Is(err, want) {
			t.Errorf("%04b: got %v, want %v", c, err, want)
		}
	}
}

func TestTypesHaveRedisNames(t *testing.T) {
	t.Parallel()
	if got := TypeNone.String() + " " + TypeString.String(); got != "none string" {
		t.Errorf("got %q", got)
	}
}
