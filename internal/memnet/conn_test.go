package memnet

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The rules here are those of golang.org/x/net/nettest, tested inside bubbles: a bubble reports a
// deadlock when a wait of the network would not be one that synctest understands.

func TestConnHasNoDescriptor(t *testing.T) {
	a, _ := Pipe(0)
	if _, is := any(a).(syscall.Conn); is {
		t.Fatal("a connection in memory must not offer a descriptor")
	}
}

func TestConnCarriesBytesUnchangedThroughASmallBuffer(t *testing.T) {
	for _, size := range []int{1, 2, 7, 4096} {
		synctest.Test(t, func(t *testing.T) {
			a, b := Pipe(size)
			want := make([]byte, 10_000)
			for i := range want {
				want[i] = byte(i * 7 / 3)
			}
			go func() {
				if n, err := a.Write(want); n != len(want) || err != nil {
					t.Errorf("buffer %d: got Write %d, %v, want %d", size, n, err, len(want))
				}
				_ = a.CloseWrite()
			}()
			got, err := io.ReadAll(b)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("buffer %d: got %d bytes, %v, want the %d written", size, len(got), err, len(want))
			}
		})
	}
}

func TestWriteWaitsWhenTheBufferIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(4)
		if n, err := a.Write([]byte("1234")); n != 4 || err != nil {
			t.Fatalf("got %d, %v, want 4 bytes into an empty buffer of 4", n, err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := a.Write([]byte("5")); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("Write returned although the buffer was full")
		default:
		}
		if _, err := b.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		<-done
	})
}

func TestDirectionsDoNotShareABuffer(t *testing.T) {
	a, b := Pipe(4)
	for _, c := range []net.Conn{a, b} {
		if n, err := c.Write([]byte("1234")); n != 4 || err != nil {
			t.Fatalf("got %d, %v, want 4", n, err)
		}
	}
}

func TestConcurrentWritesDoNotMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(3)
		const writers, length = 8, 50
		var running sync.WaitGroup
		for i := range writers {
			running.Go(func() {
				if _, err := a.Write(bytes.Repeat([]byte{byte('a' + i)}, length)); err != nil {
					t.Error(err)
				}
			})
		}
		go func() { running.Wait(); _ = a.CloseWrite() }()
		got, err := io.ReadAll(b)
		if err != nil || len(got) != writers*length {
			t.Fatalf("got %d bytes, %v, want %d", len(got), err, writers*length)
		}
		for at := 0; at < len(got); at += length {
			if block := got[at : at+length]; !bytes.Equal(block, bytes.Repeat(block[:1], length)) {
				t.Errorf("got %q, want one writer's bytes together", block)
			}
		}
	})
}

func TestDeadlines(t *testing.T) {
	read := func(c *Conn) error { _, err := c.Read(make([]byte, 1)); return err }
	write := func(c *Conn) error { _, err := c.Write(make([]byte, 9)); return err }
	tests := []struct {
		name string
		set  func(c *Conn, t time.Time) error
		op   func(c *Conn) error
	}{
		{"read", (*Conn).SetReadDeadline, read},
		{"write", (*Conn).SetWriteDeadline, write},
		{"both, reading", (*Conn).SetDeadline, read},
		{"both, writing", (*Conn).SetDeadline, write},
	}
	for _, tt := range tests {
		t.Run(tt.name+" waits exactly until the deadline", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := Pipe(8)
				start := time.Now()
				if err := tt.set(c, start.Add(time.Second)); err != nil {
					t.Fatal(err)
				}
				wantTimeout(t, tt.op(c))
				if got := time.Since(start); got != time.Second {
					t.Errorf("got %v, want 1s", got)
				}
				wantTimeout(t, tt.op(c)) // and it stays passed
			})
		})
		t.Run(tt.name+" in the past fails at once", func(t *testing.T) {
			c, _ := Pipe(8)
			if err := tt.set(c, time.Now().Add(-time.Second)); err != nil {
				t.Fatal(err)
			}
			wantTimeout(t, tt.op(c))
		})
		t.Run(tt.name+" set while somebody waits ends the wait", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := Pipe(8)
				done := make(chan error, 1)
				go func() { done <- tt.op(c) }()
				synctest.Wait()
				if err := tt.set(c, time.Unix(1, 0)); err != nil {
					t.Fatal(err)
				}
				wantTimeout(t, <-done)
			})
		})
		t.Run(tt.name+" moved forward does not end the wait early", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := Pipe(8)
				start := time.Now()
				_ = tt.set(c, start.Add(time.Second))
				done := make(chan error, 1)
				go func() { done <- tt.op(c) }()
				synctest.Wait()
				_ = tt.set(c, start.Add(time.Minute))
				wantTimeout(t, <-done)
				if got := time.Since(start); got != time.Minute {
					t.Errorf("got %v, want 1m", got)
				}
			})
		})
	}
}

func TestZeroDeadlineTakesItAway(t *testing.T) {
	a, b := Pipe(8)
	_ = a.SetDeadline(time.Unix(1, 0))
	if err := a.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write([]byte("x")); err != nil {
		t.Errorf("write: %v", err)
	}
	_, _ = b.Write([]byte("y"))
	if _, err := a.Read(make([]byte, 1)); err != nil {
		t.Errorf("read: %v", err)
	}
}

func TestWriteThatTimesOutSaysHowMuchItWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe(4)
		_ = a.SetWriteDeadline(time.Now().Add(time.Second))
		n, err := a.Write([]byte("123456"))
		wantTimeout(t, err)
		if n != 4 {
			t.Errorf("got %d, want 4", n)
		}
	})
}

func TestCloseWakesThisEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := Pipe(2)
		errs := make(chan error, 3)
		go func() { _, err := a.Read(make([]byte, 1)); errs <- err }()
		for range 2 { // the second waits for the first
			go func() { _, err := a.Write([]byte("1234")); errs <- err }()
		}
		synctest.Wait()
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := <-errs; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
		}
		for name, err := range map[string]error{
			"close": a.Close(), "half-close": a.CloseWrite(), "deadline": a.SetDeadline(time.Time{}),
		} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s after Close: got %v, want net.ErrClosed", name, err)
			}
		}
	})
}

func TestCloseWakesTheOtherEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(2)
		readErr, writeErr := make(chan error, 1), make(chan error, 1)
		go func() { _, err := b.Read(make([]byte, 1)); readErr <- err }()
		go func() { _, err := b.Write([]byte("1234")); writeErr <- err }()
		synctest.Wait()
		_ = a.Close()
		if err := <-readErr; err != io.EOF { //nolint:errorlint // readers compare io.EOF directly, so it must be bare
			t.Errorf("read: got %v, want a bare io.EOF", err)
		}
		if err := <-writeErr; !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write: got %v, want EPIPE", err)
		}
	})
}

func TestWhatWasWrittenBeforeCloseIsRead(t *testing.T) {
	a, b := Pipe(0)
	_, _ = a.Write([]byte("bye"))
	_ = a.Close()
	got, err := io.ReadAll(b)
	if string(got) != "bye" || err != nil {
		t.Errorf("got %q, %v, want \"bye\"", got, err)
	}
}

func TestHalfCloseWakesAReaderThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe(0)
		done := make(chan error, 1)
		go func() { _, err := b.Read(make([]byte, 1)); done <- err }()
		synctest.Wait()
		_ = a.CloseWrite()
		if err := <-done; !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want io.EOF", err)
		}
	})
}

func TestHalfCloseLeavesTheOtherDirectionOpen(t *testing.T) {
	a, b := Pipe(0)
	_, _ = a.Write([]byte("request"))
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after half-close: got %v, want EPIPE", err)
	}
	if got, err := io.ReadAll(b); string(got) != "request" || err != nil {
		t.Errorf("got %q, %v, want the request and the end", got, err)
	}
	_, _ = b.Write([]byte("answer"))
	_ = b.Close()
	if got, err := io.ReadAll(a); string(got) != "answer" || err != nil {
		t.Errorf("got %q, %v, want the answer", got, err)
	}
}

func wantTimeout(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want os.ErrDeadlineExceeded", err)
	}
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want a net.Error with Timeout", err)
	}
}
