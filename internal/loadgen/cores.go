//go:build linux

package main

import (
	"context"
	"fmt"
	"strconv"
)

// cores is redis-benchmark with a command that is the server's own work, on a server
// that may use both CPUs: the generator needs little beside it.
type cores struct {
	launch   launch
	requests int
}

const (
	coreLists  = 64
	coreLength = 2000 // elements of a list, all of which LPOS looks at
)

func (c cores) run(ctx context.Context, l *lab) (figures, error) {
	s, err := l.start(ctx, c.launch)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	if err := ask(s.addr, coreProbes()); err != nil {
		return nil, err
	}
	before, err := cpuTime(s.pid)
	if err != nil {
		return nil, err
	}
	row, err := benchmark(ctx, s, "-n", strconv.Itoa(c.requests), "-r", strconv.Itoa(coreLists), "LPOS", "list:__rand_int__", "none")
	if err != nil {
		return nil, err
	}
	after, err := cpuTime(s.pid)
	if err != nil {
		return nil, err
	}
	return figures{
		"rate": row["rps"] / 1e3,
		"cpu":  float64((after - before).Nanoseconds()) / 1e3 / float64(c.requests),
		"p50":  row["p50_latency_ms"] * 1e3,
		"p99":  row["p99_latency_ms"] * 1e3,
	}, nil
}

// coreProbes make the lists, under the names that redis-benchmark asks for, and ask for
// an element that is there and one that is not.
func coreProbes() []probe {
	var list []probe
	for i := range coreLists {
		command := []string{"RPUSH", fmt.Sprintf("list:%012d", i)}
		for j := range coreLength {
			command = append(command, "element:"+strconv.Itoa(j))
		}
		list = append(list, probe{string(appendCommand(nil, command...)), fmt.Sprintf(":%d\r\n", coreLength)})
	}
	return append(list,
		probe{string(appendCommand(nil, "LPOS", "list:000000000000", "element:7")), ":7\r\n"},
		probe{string(appendCommand(nil, "LPOS", "list:000000000000", "none")), "$-1\r\n"})
}
