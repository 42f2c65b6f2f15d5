package resp

import (
	"strconv"
	"testing"

	"fanfare/kv"
)

// ask runs one command on the store, as dispatch would, and returns the reply.
func ask(store *kv.Store, words ...string) string {
	args := make([][]byte, len(words))
	for i, word := range words {
		args[i] = []byte(word)
	}
	_, cmd := lookup(args)
	x := &call{cmd: cmd, args: args, w: &Writer{proto: proto2}, tx: store.Begin(0, cmd.keys.of(nil, args))}
	defer x.tx.End()
	cmd.run(x)
	return string(x.w.buf)
}

// The conversations cannot hold this: the clock of a real server does not stand still.
func TestTTLRoundsHalfSecondsUp(t *testing.T) {
	t.Parallel()
	store := kv.New(kv.Config{Now: func() int64 { return 1_700_000_000_000 }})
	t.Cleanup(store.Close)
	for left, want := range map[int]string{
		1: ":0\r\n", 499: ":0\r\n", 500: ":1\r\n", 1499: ":1\r\n", 1500: ":2\r\n", 99_999: ":100\r\n",
	} {
		if got := ask(store, "SET", "k", "v", "PX", strconv.Itoa(left)); got != "+OK\r\n" {
			t.Fatalf("SET: got %q", got)
		}
		if got := ask(store, "TTL", "k"); got != want {
			t.Errorf("TTL with %d ms left: got %q, want %q", left, got, want)
		}
		if got, want := ask(store, "PTTL", "k"), ":"+strconv.Itoa(left)+"\r\n"; got != want {
			t.Errorf("PTTL: got %q, want %q", got, want)
		}
	}
}

func TestRelativeAndAbsoluteTimesMeanTheSame(t *testing.T) {
	t.Parallel()
	store := kv.New(kv.Config{Now: func() int64 { return 1_700_000_000_000 }})
	t.Cleanup(store.Close)
	for _, life := range [][2]string{{"EX", "5"}, {"PX", "5000"}, {"EXAT", "1700000005"}, {"PXAT", "1700000005000"}} {
		if got := ask(store, "SET", "k", "v", life[0], life[1]); got != "+OK\r\n" {
			t.Errorf("SET %s: got %q", life[0], got)
		}
		if got := ask(store, "PTTL", "k"); got != ":5000\r\n" {
			t.Errorf("PTTL after %s: got %q", life[0], got)
		}
	}
	for _, command := range [][]string{{"EXPIRE", "k", "7"}, {"PEXPIRE", "k", "7000"}} {
		if got := ask(store, command...); got != ":1\r\n" {
			t.Errorf("%s: got %q", command[0], got)
		}
		if got := ask(store, "PTTL", "k"); got != ":7000\r\n" {
			t.Errorf("PTTL after %s: got %q", command[0], got)
		}
	}
}

func TestAWriteOverTheMemoryLimitIsRefusedInRedisWords(t *testing.T) {
	t.Parallel()
	store := kv.New(kv.Config{MaxMemory: 4096})
	t.Cleanup(store.Close)
	got := ask(store, "SET", "k", string(make([]byte, 8192)))
	if want := "-OOM command not allowed when used memory > 'maxmemory'.\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := ask(store, "GET", "k"); got != "$-1\r\n" {
		t.Errorf("GET: got %q", got)
	}
}
