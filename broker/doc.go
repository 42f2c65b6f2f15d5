// Package broker is where publishers and subscribers meet.
//
// A message takes one way through it: Batch.Commit finds the receivers and
// appends the encoded message to the node's log; a fan-out worker takes the log
// in order and puts ranges of the log's bytes into the outlets of its sessions.
// The order of the log is the order in which every subscriber sees messages.
//
// Publishing only appends. It never waits for a subscriber, and writes to no
// socket: writing from the publisher's goroutine costs 6 to 100 times as much,
// because nothing is coalesced across publishers.
//
// Locks, in the order in which they may be taken: a stripe of a channel table
// or the subscription writer, then the log, then whatever an Outlet locks. No
// lock is held across a system call, and nothing is called under an Outlet's.
//
// The package knows no network. Transports give each session an Outlet and
// register a Codec that writes deliveries in their wire format.
package broker
