//go:build linux

package main

import (
	"testing"

	"golang.org/x/sys/unix"
)

// pair returns two connected wires.
func pair(t *testing.T) (a, b wire) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	a, b = wire{fds[0]}, wire{fds[1]}
	t.Cleanup(func() { a.close(); b.close() })
	return a, b
}

func TestAskIsAnsweredExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, reply, want string
		ok                bool
	}{
		{"as expected", "+OK\r\n", "+OK\r\n", true},
		{"behind the server's own questions", natsPing + natsPing + "PONG\r\n", "PONG\r\n", true},
		{"something else", "-NO\r\n", "+OK\r\n", false},
		{"something else behind a question", natsPing + "-Err\r\n", "PONG\r\n", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a, b := pair(t)
			if err := b.write([]byte(c.reply)); err != nil {
				t.Fatal(err)
			}
			if err := a.ask([]byte("?"), []byte(c.want)); (err == nil) != c.ok {
				t.Errorf("got %v, want accepted: %v", err, c.ok)
			}
		})
	}
}

func TestDialectsSayTheSame(t *testing.T) {
	t.Parallel()
	s := subscription{"chat.1", 7}
	for _, c := range []struct {
		name      string
		got, want string
	}{
		{"redis delivery", string(respDialect.deliver(nil, s, []byte("hi"))), "*3\r\n$7\r\nmessage\r\n$6\r\nchat.1\r\n$2\r\nhi\r\n"},
		{"nats delivery", string(natsDialect.deliver(nil, s, []byte("hi"))), "MSG chat.1 7 2\r\nhi\r\n"},
		{"redis pattern", string(respDialect.pdeliver(nil, subscription{"chat.*", 8}, "chat.1", []byte("hi"))), "*4\r\n$8\r\npmessage\r\n$6\r\nchat.*\r\n$6\r\nchat.1\r\n$2\r\nhi\r\n"},
		{"nats pattern", string(natsDialect.pdeliver(nil, subscription{"chat.*", 8}, "chat.1", []byte("hi"))), "MSG chat.1 8 2\r\nhi\r\n"},
		{"nats publish", string(natsDialect.publish(nil, "chat.1", []byte("hi"))), "PUB chat.1 2\r\nhi\r\n"},
		{"nats name", natsDialect.name("user:1:*"), "user.1.*"},
		{"redis name", respDialect.name("user:1:*"), "user:1:*"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
	request, answer := respDialect.psubscribe(2, subscription{"a*", 1}, subscription{"b*", 2})
	if got, want := string(request)+string(answer), "*3\r\n$10\r\nPSUBSCRIBE\r\n$2\r\na*\r\n$2\r\nb*\r\n"+
		"*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3\r\n*3\r\n$10\r\npsubscribe\r\n$2\r\nb*\r\n:4\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	request, answer = natsDialect.subscribe(subscription{"a", 1}, subscription{"b", 2})
	if got, want := string(request)+string(answer), "SUB a 1\r\nSUB b 2\r\nPING\r\nPONG\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
