//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "loadgen needs Linux: epoll, CPU affinity and /proc")
	os.Exit(1)
}
