//go:build amd64 || arm64

package kv

import "unsafe"

// prefetch has the processor fetch the cache line at p, and does not wait for it. Go has
// no other way to say so: a load would be waited for at the next atomic instruction.
//
//go:noescape
func prefetch(p unsafe.Pointer)

// prefetchTwo is prefetch for the line at p and the one behind it, which may be another
// object's or none's.
//
//go:noescape
func prefetchTwo(p unsafe.Pointer)
