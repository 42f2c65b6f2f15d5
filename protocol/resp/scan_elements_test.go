package resp_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"fanfare/internal/conversation"
	"fanfare/internal/place"
)

// elementsOf iterates over a key and returns what was found.
func (w *wire) elementsOf(t *testing.T, command ...string) (list []string) {
	t.Helper()
	for cursor := "0"; ; {
		args := append([]string{command[0], "k", cursor}, command[1:]...)
		v := w.exchange(t, [][]string{args})[0]
		for _, e := range v.Elems[1].Elems {
			list = append(list, e.Text)
		}
		if cursor = v.Elems[0].Text; cursor == "0" {
			return list
		}
	}
}

func TestAWholeIterationFindsAllElements(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]conversation.Dialer{"redis": conversation.Redis(t), "fanfare": serve(t, place.TCP(t))} {
		w := dialWire(t, d, 3)
		want := map[string]string{}
		for i := range 2000 {
			f, v := fmt.Sprint("f", i), fmt.Sprint("v", i)
			want[f] = v
			w.exchange(t, [][]string{{"HSET", "k", f, v}})
		}
		got := map[string]string{}
		for pair := range slices.Chunk(w.elementsOf(t, "HSCAN", "COUNT", "7"), 2) {
			got[pair[0]] = pair[1]
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s, HSCAN: got %d fields, want %d", name, len(got), len(want))
		}
		fields := slices.Sorted(maps.Keys(want))
		w.exchange(t, [][]string{{"DEL", "k"}, append([]string{"SADD", "k"}, fields...)})
		members := w.elementsOf(t, "SSCAN")
		slices.Sort(members)
		if members = slices.Compact(members); !slices.Equal(members, fields) {
			t.Errorf("%s, SSCAN: got %d members, want %d", name, len(members), len(fields))
		}
		some := w.elementsOf(t, "SSCAN", "MATCH", "f1?", "COUNT", "100")
		slices.Sort(some)
		if got := fmt.Sprint(slices.Compact(some)); got != "[f10 f11 f12 f13 f14 f15 f16 f17 f18 f19]" {
			t.Errorf("%s, SSCAN MATCH: got %s", name, got)
		}
	}
}

// NOVALUES came with Redis 7.4; clients of that time send it.
func TestHScanLeavesValuesOut(t *testing.T) {
	t.Parallel()
	w := dialWire(t, serve(t, place.TCP(t)), 2)
	w.exchange(t, [][]string{{"HSET", "k", "a", "1", "b", "2"}})
	for _, options := range [][]string{{"NOVALUES"}, {"novalues", "COUNT", "5"}, {"MATCH", "*", "NOVALUES"}} {
		if got := fmt.Sprint(w.elementsOf(t, append([]string{"HSCAN"}, options...)...)); got != "[a b]" {
			t.Errorf("%q: got %s", options, got)
		}
	}
}
