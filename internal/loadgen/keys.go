//go:build linux

package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// keys is redis-benchmark with one command: 50 connections, values of 128 bytes,
// 100,000 keys. It is the generator here, on the generator's CPU, because its
// figures are what people compare. It does not compare replies, so every
// command is asked once before.
type keys struct {
	product  product
	command  string // a test of redis-benchmark
	pipeline int
	requests int
	probes   []probe
	fill     string // the test that makes what the command works on, and warms up the server
}

// probe is a command as redis-benchmark sends it, with the right reply.
type probe struct{ request, reply string }

const (
	keySpace   = "100000"
	keyClients = "50"
)

var keyProbes = []probe{
	{string(appendCommand(nil, "SET", "key:probe", "v")), "+OK\r\n"},
	{string(appendCommand(nil, "GET", "key:probe")), "$1\r\nv\r\n"},
	{string(appendCommand(nil, "INCR", "counter:probe")), ":1\r\n"},
	{string(appendCommand(nil, "MSET", "key:probe", "a", "key:probe2", "b")), "+OK\r\n"},
	{string(appendCommand(nil, "GET", "key:probe")), "$1\r\na\r\n"},
}

// typeProbes leave nothing behind, so that what the command works on is made by it alone.
var typeProbes = []probe{
	{string(appendCommand(nil, "LPUSH", "list:probe", "v")), ":1\r\n"},
	{string(appendCommand(nil, "LPOP", "list:probe")), "$1\r\nv\r\n"},
	{string(appendCommand(nil, "HSET", "hash:probe", "field", "v")), ":1\r\n"},
	{string(appendCommand(nil, "HGET", "hash:probe", "field")), "$1\r\nv\r\n"},
	{string(appendCommand(nil, "ZADD", "zset:probe", "1.5", "member")), ":1\r\n"},
	{string(appendCommand(nil, "ZSCORE", "zset:probe", "member")), "$3\r\n1.5\r\n"},
	{string(appendCommand(nil, "DEL", "list:probe", "hash:probe", "zset:probe")), ":2\r\n"},
}

func (k keys) run(ctx context.Context, l *lab) (figures, error) {
	s, err := l.start(ctx, launch{product: k.product})
	if err != nil {
		return nil, err
	}
	defer s.stop()
	if err := ask(s.addr, k.probes); err != nil {
		return nil, err
	}
	if _, err := runBenchmark(ctx, s, k.fill, 16, 200_000); err != nil {
		return nil, err
	}
	before, err := cpuTime(s.pid)
	if err != nil {
		return nil, err
	}
	row, err := runBenchmark(ctx, s, k.command, k.pipeline, k.requests)
	if err != nil {
		return nil, err
	}
	after, err := cpuTime(s.pid)
	if err != nil {
		return nil, err
	}
	return figures{
		"cpu":  float64((after - before).Nanoseconds()) / 1e3 / float64(k.requests),
		"rate": row["rps"] / 1e3,
		"p50":  row["p50_latency_ms"] * 1e3,
		"p99":  row["p99_latency_ms"] * 1e3,
	}, nil
}

// ask puts the probes to a server; one wrong reply voids the run.
func ask(addr string, probes []probe) error {
	w, err := dial(addr, dialOptions{})
	if err != nil {
		return err
	}
	defer w.close()
	for _, p := range probes {
		if err := w.ask([]byte(p.request), []byte(p.reply)); err != nil {
			return err
		}
	}
	return nil
}

// runBenchmark runs redis-benchmark with one of its tests and returns its one row of figures.
func runBenchmark(ctx context.Context, s *server, test string, pipeline, requests int) (map[string]float64, error) {
	return benchmark(ctx, s, "-t", test, "-d", strconv.Itoa(payloadSize), "-r", keySpace, "-P", strconv.Itoa(pipeline), "-n", strconv.Itoa(requests))
}

// benchmark runs redis-benchmark with 50 connections and the given arguments.
func benchmark(ctx context.Context, s *server, args ...string) (map[string]float64, error) {
	host, port, _ := strings.Cut(s.addr, ":")
	//nolint:gosec // numbers and names of this package
	cmd := exec.CommandContext(ctx, "redis-benchmark", append([]string{"-h", host, "-p", port, "-c", keyClients, "--csv"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %.200s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("redis-benchmark %s: %w", strings.Join(args, " "), err)
	}
	return parseBenchmark(string(out))
}

// parseBenchmark reads the output of redis-benchmark --csv: a line of names and
// a line of figures.
func parseBenchmark(out string) (map[string]float64, error) {
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("output of redis-benchmark: %w: %.200q", err, out)
	}
	if len(rows) != 2 || len(rows[0]) != len(rows[1]) {
		return nil, fmt.Errorf("output of redis-benchmark: %.200q, want a line of names and one of figures", out)
	}
	row := map[string]float64{}
	for i, name := range rows[0][1:] {
		if row[name], err = strconv.ParseFloat(rows[1][i+1], 64); err != nil {
			return nil, fmt.Errorf("output of redis-benchmark: %s: %w", name, err)
		}
	}
	if row["rps"] <= 0 || row["p99_latency_ms"] <= 0 {
		return nil, fmt.Errorf("output of redis-benchmark: no rate or no p99 in %.200q", out)
	}
	return row, nil
}
