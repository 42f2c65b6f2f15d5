package main

import (
	"net"
	"testing"
)

func TestTheDefaultAndLocalhostAreBothLoopbackAddresses(t *testing.T) {
	t.Parallel()
	six, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no [::1]:", err)
	}
	_ = six.Close()
	for _, c := range []struct {
		address string
		want    []string
	}{
		{"127.0.0.1:0", []string{"127.0.0.1", "::1"}}, // As the default.
		{"localhost:0", []string{"127.0.0.1", "::1"}},
		{"127.0.0.2:0", []string{"127.0.0.2"}},
		{"[::1]:0", []string{"::1"}},
		{"", nil},
	} {
		listeners, err := listen(t.Context(), "resp", c.address, "127.0.0.1:0")
		if err != nil {
			t.Errorf("%s: %v", c.address, err)
			continue
		}
		var hosts, ports []string
		for _, l := range listeners {
			host, port, _ := net.SplitHostPort(l.Addr().String())
			hosts, ports = append(hosts, host), append(ports, port)
			_ = l.Close()
		}
		if len(hosts) != len(c.want) || len(hosts) > 0 && hosts[0] != c.want[0] || len(hosts) > 1 && hosts[1] != c.want[1] {
			t.Errorf("%q: got %v, want %v", c.address, hosts, c.want)
		}
		if len(ports) > 1 && ports[0] != ports[1] {
			t.Errorf("%q: got ports %v, want the same one", c.address, ports)
		}
	}
}

func TestSocketsAreAllOrNone(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = free.Close()
	cfg := defaults()
	cfg.RESPListen, cfg.HTTPListen = free.Addr().String(), taken.Addr().String()
	if _, err := openSockets(t.Context(), &cfg); err == nil {
		t.Fatal("opened a taken address")
	}
	again, err := net.Listen("tcp", free.Addr().String())
	if err != nil {
		t.Fatalf("the first address is still open: %v", err)
	}
	_ = again.Close()
}
