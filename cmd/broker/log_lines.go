package main

import (
	"io"
	"sync"
	"time"
)

const (
	// maxWaiting is how many bytes of the log wait for whoever reads it.
	maxWaiting = 1 << 20
	// lastWords is how long the end of the process may wait for the same.
	lastWords = time.Second
)

// lineWriter writes lines in a goroutine of its own: who logs never waits for a pipe
// that nobody reads, or for a disk. Lines for which there is no room are counted, and the
// reader is told how many there were once it reads again. A crash takes the lines that
// were still waiting.
type lineWriter struct {
	w    io.Writer
	lost func(lines int) []byte // the line that says so
	wake chan struct{}          // there is something to write
	done chan struct{}          // closed when the goroutine has ended

	mu      sync.Mutex
	waiting []byte
	dropped int
	closed  bool
}

func newLineWriter(w io.Writer, lost func(lines int) []byte) *lineWriter {
	l := &lineWriter{w: w, lost: lost, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

// Write takes one or more whole lines, all or none. It never waits and never fails.
func (l *lineWriter) Write(lines []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.waiting)+len(lines) > maxWaiting {
		l.dropped++
		return len(lines), nil
	}
	l.waiting = append(l.waiting, lines...)
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return len(lines), nil
}

func (l *lineWriter) run() {
	defer close(l.done)
	var lines []byte
	for range l.wake {
		for {
			lines = l.take(lines[:0])
			if len(lines) == 0 {
				break
			}
			_, _ = l.w.Write(lines) // there is nobody to tell
		}
	}
}

// take returns what waits, with the number of lines that were lost behind it, and
// leaves the spare buffer in its place.
func (l *lineWriter) take(spare []byte) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.waiting
	l.waiting = spare
	if l.dropped > 0 {
		lines = append(lines, l.lost(l.dropped)...)
		l.dropped = 0
	}
	return lines
}

// close writes what waits, unless nobody takes it for longer than lastWords. Lines
// that come later are lost.
func (l *lineWriter) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	close(l.wake)
	late := time.NewTimer(lastWords)
	defer late.Stop()
	select {
	case <-l.done:
	case <-late.C:
	}
}
