// Package outbound is one connection's way out, and the only code that writes
// to a socket.
//
// A Queue takes pushes from the fan-out and replies from the connection's own
// reader, and flushes them without blocking: into a TCP or Unix socket by write
// and writev, through TLS by way of a buffer of ciphertext, into WebSocket
// frames if the connection speaks that. A socket that takes no more is left to
// a goroutine of its own until the queue is empty.
//
// The states of a Queue are idle, flushing, blocked and closed. One goroutine at
// a time is the flusher; in blocked it is a goroutine that waits for the socket,
// and it alone sets the write deadline, and clears it before it leaves: a second
// write would wait behind the first, and an expired write deadline sticks.
//
// While a queue is blocked, what is pushed to it as conflatable does not grow it:
// of each subscription the newest delivery is kept.
//
// No lock is held across a system call. An idle connection has one goroutine,
// its reader, and no buffers.
package outbound
