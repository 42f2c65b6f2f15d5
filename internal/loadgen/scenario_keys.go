//go:build linux

package main

import (
	"fmt"
	"strings"
	"time"
)

// keyScenarios are redis-benchmark by pipeline: 1, where a command is mostly
// system calls, 16 and 64, where it is the server's own work.
func keyScenarios(sc scale) []scenario {
	var all []scenario
	for _, c := range []struct {
		pipeline, requests int
		goal               string
	}{
		{1, 200_000, "SET, GET ≥ 0.95× Redis' commands per CPU (≤ 1.05× its CPU), p99 ≤ 1.3× aimed at"},
		{16, 1_000_000, "SET, GET 1.25× less CPU than Redis aimed at"},
		{64, 1_500_000, ""},
	} {
		s := scenario{
			name:    fmt.Sprintf("keys-%d", c.pipeline),
			about:   fmt.Sprintf("redis-benchmark: -c %s -P %d -d %d -r %s; MSET sets ten keys", keyClients, c.pipeline, payloadSize, keySpace),
			goal:    c.goal,
			columns: keyColumns,
			round:   20 * time.Second,
		}
		for _, command := range []string{"set", "get", "incr", "mset"} {
			requests := sc.of(c.requests)
			if command == "mset" {
				requests /= 4
			}
			for _, p := range servers(false) {
				k := keys{product: p, command: command, pipeline: c.pipeline, requests: requests, probes: keyProbes, fill: "set"}
				s.variants = append(s.variants, variant{name: keyName(command, p), run: k.run, versus: keyName(command, redis)})
			}
		}
		all = append(all, s)
	}
	return all
}

// typeScenarios are redis-benchmark with one list, one hash and one sorted set,
// as everybody runs it: fields and members are drawn from the key space, and the
// list grows by every request.
func typeScenarios(sc scale) []scenario {
	var all []scenario
	for _, c := range []struct {
		pipeline, requests int
		goal               string
	}{
		{1, 200_000, "≥ 0.95× Redis' commands per CPU (≤ 1.05× its CPU), p99 ≤ 1.3×"},
		{16, 1_000_000, "≤ Redis' CPU, 1.25× less aimed at"},
	} {
		s := scenario{
			name:    fmt.Sprintf("types-%d", c.pipeline),
			about:   fmt.Sprintf("redis-benchmark: -c %s -P %d -d %d -r %s; one list, one hash, one sorted set", keyClients, c.pipeline, payloadSize, keySpace),
			goal:    c.goal,
			columns: keyColumns,
			round:   15 * time.Second,
		}
		for _, command := range []string{"lpush", "hset", "zadd"} {
			for _, p := range servers(false) {
				k := keys{product: p, command: command, pipeline: c.pipeline, requests: sc.of(c.requests), probes: typeProbes, fill: command}
				s.variants = append(s.variants, variant{name: keyName(command, p), run: k.run, versus: keyName(command, redis)})
			}
		}
		all = append(all, s)
	}
	return all
}

// coresScenario shows what a second CPU is worth to a server. The generator shares it.
func coresScenario(sc scale) scenario {
	c := cores{requests: sc.of(200_000)}
	s := scenario{
		name:    "cores",
		about:   fmt.Sprintf("redis-benchmark: -c %s LPOS in %d lists of %s; two CPUs for the server, which the generator shares, or one", keyClients, coreLists, count(coreLength, "element")),
		goal:    "the second CPU adds what the generator leaves of it; Redis has one thread",
		columns: coreColumns,
		round:   25 * time.Second,
	}
	for _, v := range []struct {
		name string
		how  launch
	}{
		{"fanfare, one CPU", launch{product: fanfare}},
		{"fanfare, two CPUs", launch{product: fanfare, wide: true}},
		{"redis, one CPU", launch{product: redis}},
		{"redis, two CPUs", launch{product: redis, wide: true}},
	} {
		c.launch = v.how
		s.variants = append(s.variants, variant{name: v.name, run: c.run})
	}
	return s
}

func keyName(command string, p product) string {
	return strings.ToUpper(command) + " " + p.String()
}

func expiryScenario(sc scale) scenario {
	e := expiry{keys: sc.of(1_000_000), ahead: sc.rest(15 * time.Second), spread: 2 * time.Second, limit: time.Minute}
	s := scenario{
		name:      "expiry",
		about:     fmt.Sprintf("%s keys of 64 B end within %v while one connection asks for another key every millisecond", thousands(e.keys), e.spread),
		goal:      "GET p99 ≤ 2 ms",
		columns:   expiryColumns,
		round:     45 * time.Second,
		maxRounds: 3,
	}
	for _, p := range servers(false) {
		e.product = p
		s.variants = append(s.variants, variant{name: p.String(), run: e.run})
	}
	return s
}
