package main

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"
)

// serve is the command without a name: it runs a broker until ctx ends, then
// stops it in order. A stop that took longer than drain-timeout is no error:
// who did not read until then was dropped, which the log says.
func serve(ctx context.Context, args, env []string, stdout, stderr io.Writer) error {
	cfg, err := load(args, env)
	if err != nil {
		return err
	}
	log, err := newLog(cfg.LogLevel, cfg.LogFormat, stderr)
	if err != nil {
		return err
	}
	s, err := openSockets(ctx, &cfg)
	if err != nil {
		return err
	}
	defer s.close()
	n, err := newNode(cfg, s, log)
	if err != nil {
		return err
	}
	failed := n.start(s)
	printBanner(stdout, s, cfg.WS.Path)
	return n.run(ctx, failed, cfg.DrainTimeout)
}

// run waits for the end of ctx or of a listener, and stops the node.
func (n *node) run(ctx context.Context, failed <-chan error, drain time.Duration) error {
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	n.log.Info("stopping", zap.Duration("drain_timeout", drain))
	began := time.Now()
	// A context of its own: the one that ended is the reason for the stop.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if late := n.stop(limit); late != nil {
		n.log.Warn("stopped before everything was delivered", zap.Error(late))
	} else {
		n.log.Info("stopped", zap.Duration("took", time.Since(began)))
	}
	return err
}
