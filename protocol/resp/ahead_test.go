package resp

import (
	"bytes"
	"testing"
)

func TestPeekingAtACommand(t *testing.T) {
	t.Parallel()
	const get = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
	for _, tt := range []struct {
		name, input string
		n, size     int
	}{
		{"a complete command is read, and what follows left", get + "*1\r", 2, len(get)},
		{"nothing is no command", "", 0, 0},
		{"an inline command is left to the guard", "GET k\r\n", 0, 0},
		{"no arguments are left to the guard", "*0\r\n", 0, 0},
		{"one byte short is not complete", get[:len(get)-1], 0, 0},
		{"half a length is not complete", get[:7], 0, 0},
		{"what is no length is left to the guard", "*2\r\n$x\r\nGET\r\n$1\r\nk\r\n", 0, 0},
		{"a negative length is left to the guard", "*1\r\n$-1\r\n", 0, 0},
		{"a long length is left to the guard", "*1\r\n$99999\r\n", 0, 0},
		{"an argument that is none is left to the guard", "*1\r\n:1\r\n", 0, 0},
		{"many arguments are not looked at", "*9\r\n" + get, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var args [peekArgs][]byte
			n, size := peekCommand([]byte(tt.input), &args)
			if size != tt.size || size > 0 && n != tt.n {
				t.Errorf("got %d arguments in %d bytes, want %d in %d", n, size, tt.n, tt.size)
			}
			if size > 0 && (string(args[0]) != "GET" || string(args[1]) != "k") {
				t.Errorf("got %q", args[:n])
			}
		})
	}
}

func TestHintsOfAPipeline(t *testing.T) {
	t.Parallel()
	command := func(words ...string) (b []byte) {
		b = append(b, '*', byte('0'+len(words)), '\r', '\n')
		for _, w := range words {
			b = append(b, '$', byte('0'+len(w)), '\r', '\n')
			b = append(append(b, w...), "\r\n"...)
		}
		return b
	}
	for _, tt := range []struct {
		name        string
		words       []string
		key, member string
	}{
		{"a string has a key", []string{"get", "k"}, "k", ""},
		{"its value is no member", []string{"SET", "k", "v"}, "k", ""},
		{"a field is behind the key of a hash", []string{"hset", "k", "f", "v"}, "k", "f"},
		{"a member is behind the key of a set", []string{"SADD", "k", "m", "n"}, "k", "m"},
		{"a member is behind its score", []string{"zadd", "k", "1", "m"}, "k", "m"},
		{"a command without a member has none", []string{"HLEN", "k"}, "k", ""},
		{"a channel is no key", []string{"PUBLISH", "k", "v"}, "", ""},
		{"a shard channel is no key", []string{"SPUBLISH", "k", "v"}, "", ""},
		{"a command without keys has none", []string{"PING"}, "", ""},
		{"an unknown command has none", []string{"NONE", "k"}, "", ""},
		{"a key that is missing is none", []string{"GET"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &conn{}
			c.guard.buf = command(tt.words...)
			got := c.hints(nil)
			switch {
			case tt.key == "" && len(got) == 0:
			case tt.key == "" || len(got) != 1 || string(got[0].Key) != tt.key || string(got[0].Member) != tt.member:
				t.Errorf("got %q, want key %q and member %q", got, tt.key, tt.member)
			}
		})
	}
}

// The name of the command before is remembered as it was spelt, and no other is taken
// for it.
func TestARememberedNameIsOnlyItself(t *testing.T) {
	t.Parallel()
	var n names
	for _, name := range []string{
		"get", "get", "GET", "set", "get", "ge", "gett", "getset", "none", "none", "get", "",
		"georadiusbymember_ro", "get", "zrevrangebyscore", "zrevrangebyscore", "zrevrangebylex",
	} {
		if got, want := n.find([]byte(name)), find(table, []byte(name)); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// FuzzPeek: whatever is peeked at is a command that the guard returns too.
func FuzzPeek(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n"))
	f.Add([]byte("*1\r\n$4\r\nPING\r\nx"))
	f.Fuzz(func(t *testing.T, input []byte) {
		var args [peekArgs][]byte
		n, size := peekCommand(input, &args)
		if size == 0 {
			return
		}
		g := guard{limits: inputLimits{args: 100, bulk: 1 << 20, command: 1 << 20, inline: 1 << 10}, bulk: -1, buf: input}
		got, err := g.next()
		if err != nil {
			return // the guard knows better, and is asked before anything is run
		}
		if len(got) != n || g.start != size {
			t.Fatalf("peeked %d arguments in %d bytes, the guard has %d in %d", n, size, len(got), g.start)
		}
		for i := range got {
			if !bytes.Equal(got[i], args[i]) {
				t.Errorf("argument %d: got %q, want %q", i, args[i], got[i])
			}
		}
	})
}
