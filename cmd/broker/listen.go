package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// listen opens the sockets of one listen setting. An empty address opens none.
// The setting's default and localhost mean both loopback addresses; [::1] is
// left out on machines that do not have it.
func listen(ctx context.Context, flag, address, initial string) ([]net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (--%s): %w", address, flag, err)
	}
	both := strings.EqualFold(host, "localhost")
	if both {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	first, err := listenTCP(ctx, flag, address)
	if err != nil {
		return nil, err
	}
	if !both && address != initial {
		return []net.Listener{first}, nil
	}
	// With port 0 the second address follows the port the first was given.
	bound, _ := first.Addr().(*net.TCPAddr)
	second, err := listenTCP(ctx, flag, net.JoinHostPort("::1", strconv.Itoa(bound.Port)))
	if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
		return []net.Listener{first}, nil
	}
	if err != nil {
		_ = first.Close()
		return nil, err
	}
	return []net.Listener{first, second}, nil
}

func listenTCP(ctx context.Context, flag, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: %w; choose another address with --%s", address, syscall.EADDRINUSE, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s (--%s): %w", address, flag, err)
	}
	return l, nil
}

// listenUnix opens a Unix socket that has its permissions from the moment it exists:
// the mask is set before the socket is made, and nothing else of this process creates
// files at that time. Changing them afterwards would leave a moment for others. A
// socket file that a killed process left behind is replaced, one that is served is not.
func listenUnix(ctx context.Context, flag, path string, mode fs.FileMode) ([]net.Listener, error) {
	if path == "" {
		return nil, nil
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, fmt.Errorf("listen on %s (--%s): %w", path, flag, err)
	}
	old := syscall.Umask(int(^mode & fs.ModePerm))
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("listen on %s (--%s): %w", path, flag, err)
	}
	return []net.Listener{l}, nil
}

var errTaken = errors.New("taken by another program")

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&os.ModeSocket == 0 {
		return errors.New("exists and is not a socket")
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
		return errTaken
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

// sockets are the listeners of one broker, by what is spoken on them.
type sockets struct{ resp, http []net.Listener }

// openSockets opens all of them, or none and says which one could not be had.
func openSockets(ctx context.Context, cfg *Config) (*sockets, error) {
	s := &sockets{}
	tcp, err := listen(ctx, "resp", cfg.RESPListen, defaultRESP)
	if err != nil {
		return nil, err
	}
	s.resp = tcp
	unix, err := listenUnix(ctx, "resp-unix", cfg.RESPUnix, cfg.RESPUnixMode)
	if err != nil {
		s.close()
		return nil, err
	}
	s.resp = append(s.resp, unix...)
	if s.http, err = listen(ctx, "http", cfg.HTTPListen, defaultHTTP); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *sockets) close() {
	for _, l := range append(s.resp, s.http...) {
		_ = l.Close() // Closed twice after an ordered stop.
	}
}
