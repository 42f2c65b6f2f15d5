//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// cpus are the two CPUs of a measurement.
type cpus struct {
	server, generator int
	shared            bool // only one CPU is allowed: figures are not comparable
}

// pickCPUs takes the first two CPUs this process may use.
func pickCPUs(allowed *unix.CPUSet) cpus {
	var found []int
	for i := 0; i < len(allowed)*64 && len(found) < 2; i++ {
		if allowed.IsSet(i) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 0:
		return cpus{shared: true}
	case 1:
		return cpus{server: found[0], generator: found[0], shared: true}
	}
	return cpus{server: found[0], generator: found[1]}
}

// pinSelf binds every thread of this process to the generator's CPU. Threads
// that the runtime makes later inherit it. One processor for goroutines follows:
// two on one CPU would only get in each other's way.
func pinSelf(c cpus) error {
	set := setOf(c.generator)
	// The second pass finds what an unbound thread made during the first.
	for range 2 {
		if err := bindThreads(set); err != nil {
			return err
		}
	}
	runtime.GOMAXPROCS(1)
	return nil
}

func bindThreads(set *unix.CPUSet) error {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("list own threads: %w", err)
	}
	for _, e := range entries {
		var tid int
		if _, err := fmt.Sscan(e.Name(), &tid); err != nil {
			return fmt.Errorf("thread name %q: %w", e.Name(), err)
		}
		if err := unix.SchedSetaffinity(tid, set); err != nil {
			return fmt.Errorf("bind a thread of the generator: %w", err)
		}
	}
	return nil
}

// of returns where a server runs.
func (c cpus) of(wide bool) *unix.CPUSet {
	set := setOf(c.server)
	if wide {
		set.Set(c.generator)
	}
	return set
}

// onCPUs runs f on a thread bound to a set of CPUs, and then binds the thread to its
// home: a process that f starts inherits the binding, and Go's runtime in that process
// takes its GOMAXPROCS from it.
func onCPUs(set, home *unix.CPUSet, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedSetaffinity(0, set); err != nil {
		return fmt.Errorf("bind a server: %w", err)
	}
	err := f()
	if back := unix.SchedSetaffinity(0, home); back != nil && err == nil {
		err = fmt.Errorf("bind a thread of the generator: %w", back)
	}
	return err
}

func setOf(cpu int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(cpu)
	return &set
}
