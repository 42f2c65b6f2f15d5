// Package kv is the in-memory key-value store: values with a time to live, in
// numbered databases, with the semantics of Redis' commands.
//
// # Design
//
// A key's hash chooses one of 64 shards. A shard has one lock, which covers
// that shard of every database. One lock per (database, shard) would have been
// the alternative; it buys nothing (hardly anybody spreads load over databases)
// and would make a lock set of EXEC up to 1,024 bits, MOVE, COPY and SWAPDB a
// matter of two locks, and the idle store sixteen times as large. So a lock set
// is one 64-bit word, taken in ascending order; ascending (database, shard)
// order follows because the database has no lock of its own.
//
// Every command runs inside a [Tx], which holds the locks of all keys it
// touches. Commands are methods of Tx and never lock, therefore EXEC runs any
// number of them under one lock set.
//
// Inside a shard each database in use is a space: a hash table (chained,
// incremental rehash, reverse-binary cursors as in Redis' dict, so that SCAN can
// keep its guarantee and random keys can be had) and a heap of deadlines. A key
// with its string value is a 48-byte entry and one block of bytes that holds key
// and value: one allocation up to 256 bytes, else two. A string is written over in
// place where its size allows, so what a command reads is valid under its locks
// only. Values of other types are objects (object.go): packed into one block of
// bytes while they are small, else a table and what their order needs.
//
// A key whose deadline has passed is absent for every command from that
// millisecond on. It is deleted by the store's one expiry goroutine, in steps
// that hold one shard's lock for at most a fraction of a millisecond, or by a
// write that replaces it; whichever comes first reports the event "expired",
// exactly once.
//
// What a command does to a key is made known in one place, touched (watch.go).
package kv
