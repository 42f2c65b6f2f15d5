package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stuckPipe takes nothing until somebody reads it.
type stuckPipe struct {
	open chan struct{}
	bytes.Buffer
}

func (p *stuckPipe) Write(b []byte) (int, error) {
	<-p.open
	return p.Buffer.Write(b)
}

func numberOfLost(n int) []byte { return fmt.Appendf(nil, "lost %d\n", n) }

// Whoever logs goes on, whether the log is read or not; what is lost is said.
func TestNobodyWaitsForALogThatIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &stuckPipe{open: make(chan struct{})}
		l := newLineWriter(p, numberOfLost)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		_, _ = l.Write(line)
		synctest.Wait() // the first line is stuck in the pipe
		for range 1024 + 7 {
			if n, err := l.Write(line); n != len(line) || err != nil {
				t.Fatalf("got %d, %v", n, err)
			}
		}
		close(p.open)
		synctest.Wait()
		_, _ = l.Write([]byte("after\n"))
		l.close()
		if want := strings.Repeat(string(line), 1025) + "lost 7\nafter\n"; p.String() != want {
			t.Errorf("got %d bytes that end in %q, want %d", p.Len(), p.String()[max(0, p.Len()-20):], len(want))
		}
	})
}

func TestTheEndWaitsForTheLogASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &stuckPipe{open: make(chan struct{})}
		l := newLineWriter(p, numberOfLost)
		_, _ = l.Write([]byte("last words\n"))
		began := time.Now()
		l.close()
		if took := time.Since(began); took != lastWords {
			t.Errorf("got %v, want %v", took, lastWords)
		}
		if _, err := l.Write([]byte("too late\n")); err != nil {
			t.Error(err)
		}
		close(p.open)
		synctest.Wait()
		if got := p.String(); got != "last words\nlost 1\n" {
			t.Errorf("got %q", got)
		}
	})
}

// A reader that is gone is no reason to stop either.
func TestALogThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	_ = r.Close()
	l := newLineWriter(w, numberOfLost)
	_, _ = l.Write([]byte("x\n"))
	l.close()
}

func TestTheLineOfLostLinesIsAnEntry(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"json": `"msg":"lines of the log were lost: nobody read it","lines":12}`, "console": `{"lines": 12}`,
	} {
		if got := string(lostLines(format)(12)); !strings.HasSuffix(got, want+"\n") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: got %q", format, got)
		}
	}
}
