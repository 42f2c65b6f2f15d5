package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// The first signal drains. From then on signals act as if we had never
	// asked for them, so that a second Ctrl-C ends a drain nobody waits for.
	context.AfterFunc(ctx, stop)
	// SIGHUP is waited for from the beginning to the end, so it never ends a broker:
	// one that comes while it starts is served after the start.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	// A log or a terminal that is gone is no reason to stop serving.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(command(ctx, hangups, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// command runs one invocation and returns its exit code. It writes to the two
// streams only and reads the process' environment from env. What comes from
// hangups makes a running broker read its rules again.
func command(ctx context.Context, hangups <-chan os.Signal, args, env []string, stdout, stderr io.Writer) int {
	name, rest := subcommand(args)
	var err error
	switch name {
	case "":
		err = serve(ctx, hangups, rest, env, stdout, stderr)
	case "version":
		err = printVersion(rest, stdout)
	case "check-config":
		err = checkConfig(rest, env, stdout)
	case "token":
		err = printToken(rest, env, stdout)
	case "help":
		err = printHelp(stdout)
	default:
		err = usageError(unknown("command", name, []string{"check-config", "token", "version", "help"}))
	}
	if errors.Is(err, flag.ErrHelp) {
		err = printHelp(stdout)
	}
	if err == nil {
		return exitOK
	}
	_, _ = fmt.Fprintf(stderr, "broker: %v\n", err)
	if wrong := (*commandLineError)(nil); errors.As(err, &wrong) {
		return exitUsage
	}
	return exitFailed
}

// subcommand splits off a leading word that is not a flag.
func subcommand(args []string) (name string, rest []string) {
	if len(args) == 0 || args[0] == "" || args[0][0] == '-' {
		return "", args
	}
	return args[0], args[1:]
}
