//go:build linux

package main

import (
	"fmt"
	"time"
)

// fanoutScenarios are one channel at full speed: by number of subscribers, by
// payload, and with a small window, which leaves little to coalesce.
func fanoutScenarios(sc scale, withNATS bool) []scenario {
	var all []scenario
	for _, c := range []struct {
		subscribers, messages int
		goal                  string
		round, withNATS       time.Duration
		usual                 bool
	}{
		{1, 1_000_000, "2.5× less CPU than Redis aimed at", 3 * time.Second, 4 * time.Second, true},
		{10, 500_000, "", 3 * time.Second, 4 * time.Second, false},
		{100, 150_000, "3× less CPU than Redis at least, 5× aimed at; 8× less than NATS aimed at", 5 * time.Second, 9 * time.Second, true},
		{1000, 20_000, "5× less CPU than Redis at least, 8× aimed at; 15× less than NATS aimed at", 11 * time.Second, 27 * time.Second, true},
		{5000, 1280, "3.5× less CPU than Redis aimed at", 6 * time.Second, 25 * time.Second, false},
	} {
		f := fanout{subscribers: c.subscribers, messages: sc.messages(c.messages), payload: payloadSize}
		s := fanoutScenario(fmt.Sprintf("fanout-%d", c.subscribers), f, withNATS)
		s.goal, s.usual = c.goal, c.usual
		s.round = duration(withNATS, c.round, c.withNATS)
		all = append(all, s)
	}
	for _, c := range []struct {
		payload, messages int
		goal              string
	}{
		{16, 200_000, "9× less CPU than Redis aimed at"},
		{1024, 50_000, "2.5× less CPU than Redis aimed at"},
		{16384, 3_000, "1.3× less CPU than Redis aimed at: the rest is the kernel's copying"},
	} {
		f := fanout{subscribers: 100, messages: sc.messages(c.messages), payload: c.payload}
		s := fanoutScenario(fmt.Sprintf("payload-%d", c.payload), f, withNATS)
		s.goal, s.round = c.goal, duration(withNATS, 4*time.Second, 8*time.Second)
		all = append(all, s)
	}
	f := fanout{subscribers: 1000, messages: sc.messages(20_000), payload: payloadSize, window: 64}
	s := fanoutScenario("window-64", f, withNATS)
	s.round = duration(withNATS, 11*time.Second, 25*time.Second)
	return append(all, s)
}

func fanoutScenario(name string, f fanout, withNATS bool) scenario {
	s := scenario{
		name:    name,
		about:   fmt.Sprintf("1 publisher, %d publishes in flight, %s B, %s", f.inFlight(), thousands(f.payload), count(f.subscribers, "subscriber")),
		columns: deliveryColumns,
	}
	for _, p := range servers(withNATS) {
		f.product = p
		s.variants = append(s.variants, variant{name: p.String(), run: f.run})
	}
	return s
}

func crowdScenarios(sc scale, withNATS bool) []scenario {
	var all []scenario
	for _, c := range []struct {
		subscribers, messages int
		goal                  string
	}{
		{100, 100_000, "no more CPU than Redis, 1.35× less aimed at"},
		{1000, 10_000, "1.4× less CPU than Redis aimed at"},
	} {
		s := scenario{
			name:    fmt.Sprintf("crowd-%d", c.subscribers),
			about:   fmt.Sprintf("50 publishers, each waits for its answer, 128 B, %s subscribers", thousands(c.subscribers)),
			goal:    c.goal,
			columns: deliveryColumns,
			round:   duration(withNATS, 6*time.Second, 12*time.Second),
			usual:   c.subscribers == 100,
		}
		for _, p := range servers(withNATS) {
			r := crowd{product: p, publishers: 50, subscribers: c.subscribers, messages: sc.messages(c.messages)}
			s.variants = append(s.variants, variant{name: p.String(), run: r.run})
		}
		all = append(all, s)
	}
	return all
}

func roomsScenario(sc scale, withNATS bool) scenario {
	s := scenario{
		name:    "rooms",
		about:   "10,000 channels, 1 to 3 subscribers each, over 100 connections; 8 publishers, 32 publishes of 128 B in flight each",
		goal:    "1.7× less CPU than Redis aimed at",
		columns: deliveryColumns,
		round:   duration(withNATS, 4*time.Second, 8*time.Second),
	}
	for _, p := range servers(withNATS) {
		r := rooms{product: p, channels: 10_000, connections: 100, publishers: 8, window: 32, passes: sc.of(10)}
		s.variants = append(s.variants, variant{name: p.String(), run: r.run})
	}
	return s
}

// pacedScenarios are 50,000 deliveries per second: the messages are so far apart
// that every delivery is a write of its own.
func pacedScenarios(sc scale, withNATS bool) []scenario {
	var all []scenario
	for _, c := range []struct {
		subscribers, messages int
		interval              time.Duration
	}{
		{100, 2_000, 2 * time.Millisecond},
		{1000, 256, 20 * time.Millisecond},
	} {
		s := scenario{
			name:    fmt.Sprintf("paced-%d", c.subscribers),
			about:   fmt.Sprintf("%d publishes/s, 128 B, %s subscribers: nothing to coalesce", time.Second/c.interval, thousands(c.subscribers)),
			goal:    "no more CPU than Redis, p99 ≤ 1.1× Redis'",
			columns: pacedColumns,
			round:   duration(withNATS, 10*time.Second, 16*time.Second),
			usual:   c.subscribers == 100,
		}
		for _, p := range servers(withNATS) {
			f := fanout{product: p, subscribers: c.subscribers, messages: sc.messages(c.messages), payload: payloadSize, interval: c.interval}
			s.variants = append(s.variants, variant{name: p.String(), run: f.run})
		}
		all = append(all, s)
	}
	return all
}

// websocketScenarios compare browsers with Redis clients on the same broker. The
// publisher speaks RESP in both.
func websocketScenarios(sc scale) []scenario {
	fast := fanout{subscribers: 100, messages: sc.messages(100_000)}
	many := fanout{subscribers: 1000, messages: sc.messages(20_000)}
	paced := fanout{subscribers: 100, messages: sc.messages(2_000), interval: 2 * time.Millisecond}
	pair := func(name, about, goal string, f fanout) scenario {
		f.product, f.payload = fanfare, payloadSize
		ws := f
		ws.objects = true
		return scenario{
			name: name, about: about + ", the subscribers on RESP and on WebSocket", goal: goal,
			columns: deliveryColumns, round: 5 * time.Second,
			variants: []variant{{name: "fanfare RESP", run: f.run}, {name: "fanfare WebSocket", run: ws.run}},
		}
	}
	const goal = "≤ 1.2× the CPU of RESP"
	all := []scenario{
		pair("websocket-100", "as fanout-100", goal, fast),
		pair("websocket-1000", "as fanout-1000", goal, many),
		pair("paced-websocket-100", "as paced-100", "p99 ≤ 1.1× that of RESP", paced),
	}
	all[0].usual = true
	all[2].columns, all[2].round = pacedColumns, 10*time.Second
	return all
}

func stuckScenario(sc scale) scenario {
	return scenario{
		name:     "stuck",
		about:    "1 publisher, 1,024 B, 10 subscribers, and one more that never reads",
		goal:     "≥ 0.95× the publishes, and the reader's end within its limit",
		columns:  stuckColumns,
		variants: stuckVariants(max(sc.messages(400_000), 100_000)),
		round:    8 * time.Second,
		usual:    true,
	}
}

// neighbourScenario is two people beside a crowd.
func neighbourScenario(sc scale, withNATS bool) scenario {
	n := neighbour{subscribers: sc.of(10_000), bigInterval: 50 * time.Millisecond, interval: 2 * time.Millisecond, messages: sc.messages(4_000)}
	s := scenario{
		name:    "neighbour",
		about:   fmt.Sprintf("500 publishes/s to 1 subscriber while 20/s go to %s others on another channel; latency of the one", thousands(n.subscribers)),
		goal:    "p99 ≤ 5 ms",
		columns: neighbourColumns,
		round:   duration(withNATS, 22*time.Second, 36*time.Second),
	}
	for _, p := range servers(withNATS) {
		n.product = p
		s.variants = append(s.variants, variant{name: p.String(), run: n.run})
	}
	return s
}
