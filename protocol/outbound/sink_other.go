//go:build !linux

package outbound

import "net"

// newSink leaves every flush to a goroutine: only Linux is measured and tuned.
func newSink(c net.Conn) sink { return connSink{c} }

func newReader(c net.Conn) reader { return connReader{c} }

type systemBatch struct{}

func newBatch() *batch { return new(batch) }
