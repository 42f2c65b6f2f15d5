// Package model tests what the broker promises against a reference that does the
// same with plain lists: random publishers, subscribers, disconnects, resumes,
// slow readers, joins, rule changes and passing time, through both wire protocols
// over the network in memory.
//
// A world is one broker in a bubble of testing/synctest, with peers that speak
// RESP2, RESP3 and WebSocket. It is driven step by step: after each the bubble
// comes to rest, and every peer must have received exactly what the reference
// says, in that order. Storms are steps in which several publishers and
// subscribers run at once; there the order that one subscriber saw is taken for
// that of the node, and everybody else is held to it.
//
// A world is made from its seed, and goes the same way each time, except inside
// a storm:
//
//	go test ./internal/model -model.seed=42 -model.steps=500 -model.worlds=1
//
// Nothing but tests is in this package.
package model
