//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// newTimer makes a timer that can be read in a loop, and the function that
// starts it. epoll's own time limit counts milliseconds: too coarse for a pace.
func newTimer(interval time.Duration) (wire, func() error, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return wire{}, nil, fmt.Errorf("create a timer: %w", err)
	}
	arm := func() error {
		every := unix.NsecToTimespec(interval.Nanoseconds())
		if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
			return fmt.Errorf("start a timer: %w", err)
		}
		return nil
	}
	return wire{fd: fd}, arm, nil
}

// expirations returns how often the timer has run out since it was last read.
func expirations(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.NativeEndian.Uint64(b)
}
