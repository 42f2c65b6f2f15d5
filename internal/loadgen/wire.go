//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// wire is a TCP connection as a bare descriptor. Blocking, with a time limit,
// until a loop takes it over.
type wire struct {
	fd int
}

// dialOptions are settings that must be made before the connection exists.
type dialOptions struct {
	receiveBuffer int // bytes the kernel keeps for an application that does not read; 0: its default
}

func dial(addr string, o dialOptions) (wire, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return wire{}, fmt.Errorf("address %s: %w", addr, err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return wire{}, fmt.Errorf("open a socket: %w", err)
	}
	w := wire{fd: fd}
	if err := w.connect(ap, o); err != nil {
		w.close()
		return wire{}, fmt.Errorf("connect to %s: %w", addr, err)
	}
	return w, nil
}

func (w wire) connect(to netip.AddrPort, o dialOptions) error {
	limit := unix.NsecToTimeval((10 * time.Second).Nanoseconds())
	err := errors.Join(
		unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.SetsockoptTimeval(w.fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &limit),
		unix.SetsockoptInt(w.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
	)
	if o.receiveBuffer > 0 {
		err = errors.Join(err, unix.SetsockoptInt(w.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, o.receiveBuffer))
	}
	if err != nil {
		return fmt.Errorf("set socket options: %w", err)
	}
	for {
		err := unix.Connect(w.fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (w wire) close() {
	_ = unix.Close(w.fd)
}

// Read reads with the time limit of the handshake.
func (w wire) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(w.fd, b)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("read: %w", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// write writes all of b with the time limit of the handshake.
func (w wire) write(b []byte) error {
	for sent := 0; sent < len(b); {
		n, err := unix.Write(w.fd, b[sent:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("write: %w", err)
		}
		sent += n
	}
	return nil
}

// ask writes request and reads exactly answer. A NATS server may put its own
// question before it, which is as long as its answer.
func (w wire) ask(request, answer []byte) error {
	if err := w.write(request); err != nil {
		return err
	}
	got := []byte(natsPing)
	for string(got) == natsPing {
		got = make([]byte, len(answer))
		if _, err := io.ReadFull(w, got); err != nil {
			return fmt.Errorf("answer to %.60q: %w", request, err)
		}
	}
	if !bytes.Equal(got, answer) {
		return fmt.Errorf("answer to %.60q: got %.60q, want %.60q", request, got, answer)
	}
	return nil
}
