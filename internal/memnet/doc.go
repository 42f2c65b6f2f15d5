// Package memnet is a network in memory for tests: listeners and connections that behave as TCP does
// towards their users (bounded buffers, deadlines, half-close, the same errors) without a socket.
//
// It exists for three reasons. Tests inside a testing/synctest bubble need a network whose every wait is
// one the bubble understands; all waits here are sync.Cond waits and time.AfterFunc timers, so a bubble
// whose goroutines all wait for this network is idle and its clock moves on. Tests of slow consumers need
// a peer whose buffer has an exact size. And the connections have no descriptor (no syscall.RawConn), so
// the outbound queue takes its descriptor-less path with them.
//
// net.Pipe was not enough: it has no buffer, so a Write waits for the peer's Read, which no real
// connection does, and a test over it cannot see what a full socket buffer does.
package memnet
