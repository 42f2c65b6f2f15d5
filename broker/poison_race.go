//go:build race

package broker

// poison makes chunks be overwritten when they are freed, so that a test that
// reads a chunk it no longer holds sees garbage instead of luck.
const poison = true
