package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// How long the soak lasts: CI looks that it works, `make soak` gives it half an hour.
var soakFor = flag.Duration("soak", 15*time.Second, "how long TestSoak lasts")

const soakRules = `
[limits]
ws-rate = 0
[[channel]]
match = "soak:*"
history = { size = 5000, ttl = "2m" }
presence = true
`

// A broker in use for a long time: publishers on both protocols, subscribers that stay
// and count, others that come and go, fall behind, are cut and resume, and keys of all
// types. Every delivery is checked by its number. In the end all leave, and the broker
// has given everything back.
func TestSoak(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "broker.toml")
	if err := os.WriteFile(file, []byte(soakRules), 0o600); err != nil {
		t.Fatal(err)
	}
	n := start(t, "--config", file, "--dir", filepath.Join(t.TempDir(), "state"), "--save-every", "30s")
	s := &soak{t: t, n: n, began: time.Now(), operator: redis.NewClient(&redis.Options{Addr: n.RESP, PoolSize: 1})}
	defer s.operator.Close()
	s.touchAll()
	base := s.settled(t, usage{})

	churn, endChurn := context.WithCancel(t.Context())
	publish, endPublish := context.WithCancel(t.Context())
	defer endChurn()
	defer endPublish()
	s.subscribe()
	publishers := s.publishers(publish)
	churners := s.churners(churn)
	s.watch(*soakFor)

	endChurn()
	churners.Wait()
	endPublish()
	publishers.Wait()
	s.complete()
	t.Log(s.line())
	if got := s.settled(t, base); !got.within(base) {
		t.Errorf("after everybody left: %v, before: %v", got, base)
	}
}

// soak is a run.
type soak struct {
	t        *testing.T
	n        *node
	operator *redis.Client
	began    time.Time
	steady   []stayer
	readers  sync.WaitGroup
	ending   atomic.Bool // of the subscribers that stay
	sent     published
	tally    tally
	samples  []sample
}

// fault reports what must not happen; the run goes on.
func (s *soak) fault(err error) {
	if err != nil {
		s.t.Errorf("after %v: %v", time.Since(s.began).Round(time.Millisecond), err)
	}
}

// usage is what clients cost the broker beside memory.
type usage struct{ descriptors, goroutines, sessions, channels, patterns int }

// within says that no more is in use. Goroutines that serve the next client, of which there may be a few, do not count.
func (u usage) within(base usage) bool {
	return u.descriptors <= base.descriptors && u.goroutines <= base.goroutines+2 && u.sessions <= base.sessions && u.channels+u.patterns == 0
}

// settled waits until no more is in use than base, or than a client, and returns what is.
func (s *soak) settled(t *testing.T, base usage) (now usage) {
	t.Helper()
	first := base == usage{}
	deadline := time.Now().Add(patience)
	for {
		now = s.usage()
		if now.within(base) || first && now.sessions == 1 || time.Now().After(deadline) {
			return now
		}
		pause(t.Context(), 50*time.Millisecond)
	}
}

func (s *soak) usage() usage {
	info := s.info()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.n.PID))
	s.fault(err)
	number := func(field string) int {
		v, err := strconv.Atoi(info[field])
		s.fault(err)
		return v
	}
	return usage{len(files), number("goroutines"), number("sessions"), number("pubsub_channels"), number("pubsub_patterns")}
}

// info returns the fields of INFO.
func (s *soak) info() map[string]string {
	text, err := s.operator.Info(s.t.Context(), "everything").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// touchAll lets the broker make what it makes once, before the base is taken.
func (s *soak) touchAll() {
	eventually(s.t, "the broker has loaded what there is", func() bool {
		c, err := connectWS(s.n)
		if err == nil {
			c.close()
		}
		return err == nil
	})
	s.fault(s.operator.Save(s.t.Context()).Err())
}

// watch writes a line now and then, and looks at the memory.
func (s *soak) watch(whole time.Duration) {
	every := min(time.Minute, whole)
	tick := time.NewTicker(min(5*time.Second, every))
	defer tick.Stop()
	end := time.NewTimer(whole)
	defer end.Stop()
	line := time.NewTicker(every)
	defer line.Stop()
	for {
		select {
		case <-end.C:
			s.judgeMemory()
			return
		case <-tick.C:
			s.sample()
		case <-line.C:
			s.t.Log(s.line())
		case <-s.n.exited:
			s.t.Fatal("the broker has ended")
		}
	}
}

func (s *soak) line() string {
	u := s.usage()
	resident := int64(0)
	if n := len(s.samples); n > 0 {
		resident = s.samples[n-1].resident
	}
	return fmt.Sprintf("%6v  published %d, %s; resident %.1f MB, %d descriptors, %d goroutines, %d sessions",
		time.Since(s.began).Round(time.Second), s.sent.total(), s.tally.String(), float64(resident)/1e6, u.descriptors, u.goroutines, u.sessions)
}

// sample is the process' memory at a time.
type sample struct {
	at       time.Duration
	resident int64
}

func (s *soak) sample() {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.n.PID))
	if err != nil {
		s.fault(err)
		return
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	s.fault(err)
	s.samples = append(s.samples, sample{time.Since(s.began), pages * int64(os.Getpagesize())})
}

// judgeMemory wants it level from the tenth minute on: at most 1 % more in 10 minutes, by
// the line that fits the samples best. A shorter run says nothing about that.
func (s *soak) judgeMemory() {
	var late []sample
	for _, x := range s.samples {
		if x.at >= 10*time.Minute {
			late = append(late, x)
		}
	}
	if len(late) < 2 || late[len(late)-1].at-late[0].at < 10*time.Minute {
		return
	}
	slope, mean := fit(late)
	growth := slope * (10 * time.Minute).Seconds() / mean
	s.t.Logf("resident memory from minute 10 on: %.1f MB, %+.2f %% per 10 minutes", mean/1e6, 100*growth)
	if growth > .01 {
		s.t.Errorf("resident memory grows by %.2f %% per 10 minutes, at most 1 %% is right", 100*growth)
	}
}

// fit returns the line of least squares: bytes per second, and the mean.
func fit(list []sample) (slope, mean float64) {
	n := float64(len(list))
	var sx, sy, sxx, sxy float64
	for _, p := range list {
		x, y := p.at.Seconds(), float64(p.resident)
		sx, sy, sxx, sxy = sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	return (n*sxy - sx*sy) / (n*sxx - sx*sx), sy / n
}

// over says that an error is that of an end that was asked for.
func over(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || errors.Is(err, context.Canceled))
}
