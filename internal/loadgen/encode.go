//go:build linux

package main

import (
	"fmt"
	"strconv"
)

// ringMessages is how many different messages a run repeats. Enough that a
// skipped or repeated delivery never meets an equal neighbour, few enough that
// the expected bytes stay in the CPU's cache.
const ringMessages = 8192

// appendPayload appends the payload of message number n of publisher p: size
// printable bytes that name p and n and differ from message to message
// throughout, so that bytes of another message are noticed wherever they land.
func appendPayload(dst []byte, p, n, size int) []byte {
	start := len(dst)
	dst = fmt.Appendf(dst, "p%04d n%08d ", p, n)
	x := uint32(n*2654435761+p) | 1
	for len(dst) < start+size {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		dst = append(dst, 'a'+byte(x%26))
	}
	return dst[:start+size]
}

// payloadPublisher reads back who published a payload; -1: nobody.
func payloadPublisher(payload []byte) int {
	if len(payload) < 6 || payload[0] != 'p' {
		return -1
	}
	n, err := strconv.Atoi(string(payload[1:5]))
	if err != nil {
		return -1
	}
	return n
}

// appendCommand appends a command in the Redis protocol.
func appendCommand(dst []byte, args ...string) []byte {
	dst = fmt.Appendf(dst, "*%d\r\n", len(args))
	for _, a := range args {
		dst = appendBulk(dst, a)
	}
	return dst
}

func appendBulk[T string | []byte](dst []byte, b T) []byte {
	dst = append(dst, '$')
	dst = strconv.AppendInt(dst, int64(len(b)), 10)
	dst = append(dst, "\r\n"...)
	dst = append(dst, b...)
	return append(dst, "\r\n"...)
}

// appendAck appends the RESP2 answer to one name of a (P)SUBSCRIBE.
func appendAck(dst []byte, verb, name string, count int) []byte {
	dst = append(dst, "*3\r\n"...)
	dst = appendBulk(dst, verb)
	dst = appendBulk(dst, name)
	return fmt.Appendf(dst, ":%d\r\n", count)
}
