//go:build linux

package main

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tcpPair returns two ends of a TCP connection: timestamps need TCP.
func tcpPair(t *testing.T) (near wire, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if near, err = dial(l.Addr().String(), dialOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(near.close)
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = far.Close() })
	return near, far
}

func TestAStampedReadTellsWhenTheBytesCameNotWhenTheyWereRead(t *testing.T) {
	t.Parallel()
	near, far := tcpPair(t)
	if err := unix.SetsockoptInt(near.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
		t.Fatal(err)
	}
	// Who is the first to want stamps switches them on in the kernel, which takes a
	// moment; until then bytes are stamped when they are read.
	stamps := false
	for limit := time.Now().Add(2 * time.Minute); !stamps && time.Now().Before(limit); {
		stamps = stampedOnArrival(t, near, far)
	}
	if !stamps {
		t.Error("the time is never that of the arrival")
	}
	if err := unix.SetNonblock(near.fd, true); err != nil {
		t.Fatal(err)
	}
	p := &peer{wire: near, stamped: true}
	if _, err := p.read(make([]byte, 16)); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("got %v from an empty socket", err)
	}
}

// stampedOnArrival sends some bytes and says whether their time is from before
// they were read.
func stampedOnArrival(t *testing.T, near wire, far net.Conn) bool {
	t.Helper()
	before := time.Now()
	if _, err := far.Write([]byte("hi")); err != nil {
		t.Fatal(err)
	}
	ready := []unix.PollFd{{Fd: int32(near.fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(ready, 10_000); n != 1 || err != nil {
		t.Fatalf("await the bytes: %d, %v", n, err)
	}
	readable := time.Now() // the reader is late, if only by this
	p := &peer{wire: near, stamped: true}
	buf := make([]byte, 16)
	n, err := p.read(buf)
	if err != nil || string(buf[:n]) != "hi" {
		t.Fatalf("got %q and %v", buf[:n], err)
	}
	return !p.reached.Before(before.Add(-time.Millisecond)) && !p.reached.After(readable)
}
