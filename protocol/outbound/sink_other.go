//go:build !linux

package outbound

import (
	"net"
	"syscall"
)

// newSink leaves every flush to a goroutine: only Linux is measured and tuned.
func newSink(c net.Conn) sink { return connSink{c} }

func rawConn(net.Conn) syscall.RawConn { return nil }

type systemBatch struct{}

func newBatch() *batch { return new(batch) }
