package outbound

import (
	"bytes"
	"fmt"
	"testing"
)

// Frames of replies are as small as those of pushes: a replay of history must not
// keep a browser from everything else until all of it is there.
func TestFramesOfRepliesKeepTheLimits(t *testing.T) {
	t.Parallel()
	contents := map[string]func(i int) []byte{
		"short lines":           func(i int) []byte { return text(i, 0) },
		"64 of them are 64 KiB": func(i int) []byte { return fmt.Appendf(nil, "%01023d", i) },
		"some are large alone": func(i int) []byte {
			if i%100 == 50 {
				return text(i, 100<<10)
			}
			return text(i, i*7%2000)
		},
	}
	ways := map[string]func(r *rig, lines [][]byte){
		"uncorked at once": func(r *rig, lines [][]byte) {
			r.queue.Cork()
			r.queue.Uncork(bytes.Join(lines, nil))
		},
		"in pieces": func(r *rig, lines [][]byte) {
			r.queue.Cork()
			for ; len(lines) > 300; lines = lines[300:] {
				r.queue.Reply(bytes.Join(lines[:300], nil))
			}
			r.queue.Uncork(bytes.Join(lines, nil))
		},
		"to a peer that takes nothing": func(r *rig, lines [][]byte) {
			r.stick()
			for n := 1; len(lines) > 0; n++ { // 1 line, 2 lines, and so on
				n = min(n, len(lines))
				r.queue.Uncork(bytes.Join(lines[:n], nil))
				lines = lines[n:]
			}
			r.frame()
		},
	}
	everywhere(t, func(t *testing.T, n network) {
		for what, line := range contents {
			for how, send := range ways {
				t.Run(what+" "+how, func(t *testing.T) {
					r := connect(t, newBroker(t), n, framed)
					var lines [][]byte
					for i := range 1000 {
						lines = append(lines, append(line(i), '\n'))
					}
					send(r, lines)
					checkReplyFrames(t, r, lines)
				})
			}
		}
	})
}

func checkReplyFrames(t *testing.T, r *rig, want [][]byte) {
	t.Helper()
	for len(want) > 0 {
		f := r.frame()
		lines := bytes.SplitAfter(append(f.payload, '\n'), []byte{'\n'})
		lines = lines[:len(lines)-1] // behind the last newline is nothing
		if len(lines) > frameMessages || len(lines) > 1 && len(f.payload) > frameBytes {
			t.Fatalf("a frame of %d lines and %d bytes", len(lines), len(f.payload))
		}
		for _, got := range lines {
			if !bytes.Equal(got, want[0]) {
				t.Fatalf("%d lines before the end: got %.50q, want %.50q", len(want), got, want[0])
			}
			want = want[1:]
		}
	}
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	if r.queue.replyBytes != 0 && r.queue.state == idle {
		t.Errorf("%d bytes of replies are queued in an idle queue", r.queue.replyBytes)
	}
}

// A line that no frame holds is not divided.
func TestALargeReplyIsOneFrame(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, n network) {
		r := connect(t, newBroker(t), n, framed)
		want := string(filler(100 << 10))
		r.queue.Uncork([]byte("before\n" + want + "\nafter\n"))
		for _, want := range []string{"before", want, "after"} {
			if got := string(r.frame().payload); got != want {
				t.Fatalf("got %d bytes %.20q, want %d", len(got), got, len(want))
			}
		}
	})
}
