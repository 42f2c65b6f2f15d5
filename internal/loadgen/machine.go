//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// machine describes what the figures depend on: processor, kernel, compiler.
func machine() string {
	kernel := "unknown kernel"
	var u unix.Utsname
	if err := unix.Uname(&u); err == nil {
		kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		text = nil // described without its name
	}
	return fmt.Sprintf("%d × %s, %s, %s", runtime.NumCPU(), processor(string(text)), kernel, runtime.Version())
}

// processor finds the model's name in /proc/cpuinfo; not every architecture has one.
func processor(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
