//go:build !amd64 && !arm64

package kv

import "unsafe"

// prefetch does nothing where it is not written for the processor.
func prefetch(unsafe.Pointer) {}

// prefetchTwo does nothing either.
func prefetchTwo(unsafe.Pointer) {}
