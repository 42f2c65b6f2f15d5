// Command loadgen compares Fanfare with redis-server (and nats-server): what
// does one delivery cost the server, how much memory does an idle connection
// hold, what does a subscriber that never reads do to the others?
//
//	go run ./internal/loadgen [-all | -only name] [-rounds n] [-short] [-markdown file] [-json file]
//
// Without -all or -only it runs the usual scenarios, in about twelve minutes; -list
// shows all, each with the time it takes. -markdown writes the tables into
// docs/benchmarks.md, which says more about scenarios and method.
//
// How it measures, and why this way:
//
//   - Every run has a server of its own, started anew, on a free loopback port,
//     without persistence. The server is bound to one CPU and the generator to
//     another, so neither steals the other's time.
//   - The cost is the server process' own CPU time (user and system, all its
//     threads, in nanoseconds from the kernel) between the first publish and the
//     last delivery. It is steady where rates are not: the rate of a fast server
//     is capped by the generator, its CPU time is not.
//   - Variants take turns (A B A B …); the report gives median, smallest and
//     largest value, and each variant's ratio to the first one of its scenario,
//     taken per round so that a change of the machine's mood hits both sides.
//   - Every subscriber compares every byte it receives with what it must
//     receive. One missing, repeated, altered or misplaced delivery voids the run.
//   - The generator is one thread around epoll. Goroutines per connection would
//     spend more time on scheduling than a fast server needs for the delivery.
//     A round serves every ready subscriber before the publisher goes on, which
//     holds the messages under way near the publisher's window for every server.
//
// Linux only: it needs epoll, CPU affinity and /proc.
package main
