package kv

import (
	"slices"
	"testing"
)

// The events of each command, in Redis' order.
func TestListCommandsReportEvents(t *testing.T) {
	t.Parallel()
	key, other := []byte("k"), []byte("o")
	items := func(list ...string) [][]byte {
		var b [][]byte
		for _, s := range list {
			b = append(b, []byte(s))
		}
		return b
	}
	for _, tt := range []struct {
		rule string
		run  func(t *Tx)
		want []string
	}{
		{"a push to a new key", func(t *Tx) { _, _ = t.Push(0, other, Left, items("a", "b"), false) }, []string{"new o", "lpush o"}},
		{"a push", func(t *Tx) { _, _ = t.Push(0, key, Right, items("x"), true) }, []string{"rpush k"}},
		{"a push to nothing", func(t *Tx) { _, _ = t.Push(0, other, Right, items("x"), true) }, nil},
		{"a pop", func(t *Tx) { _, _, _ = t.Pop(0, key, Left, 1) }, []string{"lpop k"}},
		{"a pop of everything", func(t *Tx) { _, _, _ = t.Pop(0, key, Right, 9) }, []string{"rpop k", "del k"}},
		{"a pop of none", func(t *Tx) { _, _, _ = t.Pop(0, key, Right, 0) }, nil},
		{"a pop of nothing", func(t *Tx) { _, _, _ = t.Pop(0, other, Right, 1) }, nil},
		{"a move", func(t *Tx) { _, _, _ = t.LMove(0, key, Left, other, Right) }, []string{"new o", "rpush o", "lpop k"}},
		{"a move of the last element", func(t *Tx) {
			_ = t.LTrim(0, key, 0, 0)
			_, _, _ = t.LMove(0, key, Right, other, Left)
		}, []string{"ltrim k", "new o", "lpush o", "rpop k", "del k"}},
		{"a rotation", func(t *Tx) { _, _, _ = t.LMove(0, key, Left, key, Right) }, []string{"rpush k", "lpop k"}},
		{"a set", func(t *Tx) { _ = t.LSet(0, key, 0, nil) }, []string{"lset k"}},
		{"an insertion", func(t *Tx) { _, _ = t.LInsert(0, key, []byte("a"), nil, true) }, []string{"linsert k"}},
		{"an insertion that finds nothing", func(t *Tx) { _, _ = t.LInsert(0, key, []byte("z"), nil, true) }, nil},
		{"a removal", func(t *Tx) { _, _ = t.LRem(0, key, 0, []byte("a")) }, []string{"lrem k"}},
		{"a removal that finds nothing", func(t *Tx) { _, _ = t.LRem(0, key, 0, []byte("z")) }, nil},
		{"a trim that changes nothing", func(t *Tx) { _ = t.LTrim(0, key, 0, -1) }, []string{"ltrim k"}},
		{"a trim of everything", func(t *Tx) { _ = t.LTrim(0, key, 5, 9) }, []string{"ltrim k", "del k"}},
		{"a trim of nothing", func(t *Tx) { _ = t.LTrim(0, other, 0, -1) }, nil},
		{"a look at nothing", func(t *Tx) { _, _ = t.LLen(0, other) }, []string{"keymiss o"}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			var got []string
			s := newStore(Config{Event: func(_ int, _ EventClass, event, key string) { got = append(got, event+" "+key) }})
			tx := s.BeginAll()
			defer tx.End()
			if _, err := tx.Push(0, key, Right, items("a", "b", "c"), false); err != nil {
				t.Fatal(err)
			}
			s.SetEventMask(EventAll | EventNew | EventKeyMiss | EventKeyevent)
			if tt.run(tx); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			checkBytes(t, s)
		})
	}
}

func TestATimeoutIsReadAsLongDouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want int64
		err  error
	}{
		{"0", 0, nil},
		{"1.5", 1500, nil},
		{"0.0001", 1, nil},
		{"0.001", 1, nil},
		{"-0.0001", 0, nil},
		{"-1", -1000, nil},
		{"0x1", 1000, nil},
		{"inf", 0, ErrOverflow},
		{"1e300", 0, ErrOverflow},
		{"x", 0, ErrNotFloat},
		{"nan", 0, ErrNotFloat},
		{"", 0, ErrNotFloat},
		{" 1", 0, ErrNotFloat},
	} {
		if got, err := ParseTimeout([]byte(tt.text)); got != tt.want || err != tt.err { //nolint:errorlint // the sentinel itself
			t.Errorf("%q: got %d, %v, want %d, %v", tt.text, got, err, tt.want, tt.err)
		}
	}
}
