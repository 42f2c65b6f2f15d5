//go:build race

package kv

// raceEnabled: the race detector makes sync.Pool lose what it holds.
const raceEnabled = true
