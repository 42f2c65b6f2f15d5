package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/zap"
)

// serve is the command without a name: it runs a broker until ctx ends, then
// stops it in order. A stop that took longer than drain-timeout is no error:
// who did not read until then was dropped, which the log says. Whatever comes from
// hangups makes it read its rules again, until the stop begins.
func serve(ctx context.Context, hangups <-chan os.Signal, args, env []string, stdout, stderr io.Writer) error {
	cfg, err := load(args, env)
	if err != nil {
		return err
	}
	lines := newLineWriter(stderr, lostLines(cfg.LogFormat))
	defer lines.close()
	log, err := newLog(cfg.LogLevel, cfg.LogFormat, lines)
	if err != nil {
		return err
	}
	followMaxMemory(&cfg, env)
	pairs, err := openCertificates(&cfg, log)
	if err != nil {
		return err
	}
	s, err := openSockets(ctx, &cfg)
	if err != nil {
		return err
	}
	defer s.close()
	d, err := openSnapshots(ctx, &cfg, log)
	if err != nil {
		return err
	}
	if d != nil {
		defer d.Close()
	}
	n, err := newNode(cfg, s, d, log)
	if err != nil {
		return err
	}
	failed, err := n.start(s)
	if err != nil {
		return err
	}
	if err = n.load(ctx); err == nil {
		printBanner(stdout, s, &cfg)
		r := &reloader{args: args, env: env, started: cfg, broker: n.broker, certificates: pairs, log: log}
		err = await(ctx, failed, hangups, r.reload)
	} else if ctx.Err() != nil {
		err = nil // told to stop while it was loading
	}
	return errors.Join(err, n.drain(ctx, cfg.DrainTimeout))
}

// await returns at the end of ctx or of a listener, whose error it is. Until then
// it reloads as often as it is asked to.
func await(ctx context.Context, failed <-chan error, hangups <-chan os.Signal, reload func()) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-failed:
			return err
		case <-hangups:
			reload()
		}
	}
}

// drain stops the node and says how it went. The error is that of the last
// snapshot, which may take longer than the timeout.
func (n *node) drain(ctx context.Context, timeout time.Duration) error {
	n.log.Info("stopping", zap.Duration("drain_timeout", timeout))
	began := time.Now()
	// A context of its own: the one that ended is the reason for the stop.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	late, err := n.stop(limit)
	if late != nil {
		n.log.Warn("stopped before everything was delivered", zap.Error(late))
	} else {
		n.log.Info("stopped", zap.Duration("took", time.Since(began)))
	}
	if err != nil {
		return fmt.Errorf("save the last snapshot in %s: %w", n.snapshots.dir.Path(), err)
	}
	return nil
}
