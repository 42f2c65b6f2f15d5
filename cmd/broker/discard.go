package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"go.uber.org/zap"

	"fanfare/internal/snapshot"
)

// openSnapshots opens the directory of the snapshots; nil: there is none. With
// discard-snapshot those that cannot be loaded are put aside, newest first, until
// there is one that can. One that can be loaded is left alone, whatever is asked
// for: a flag that was forgotten in a start script must not cost the data.
// At the end of ctx it looks no further.
func openSnapshots(ctx context.Context, cfg *Config, log *zap.Logger) (*snapshot.Dir, error) {
	if cfg.Dir == "" {
		return nil, nil //nolint:nilnil // memory only, which is no error
	}
	d, err := snapshot.Open(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("--dir: %w", err)
	}
	for cfg.DiscardSnapshot {
		name, err := d.Latest()
		if err == nil && name == "" {
			break
		}
		if err == nil {
			err = try(ctx, cfg, d, name)
		}
		if !broken(err) {
			break // what else there is to say of it, the start will
		}
		path, aside := d.Discard()
		if aside != nil {
			d.Close()
			return nil, aside
		}
		log.Warn("snapshot put aside: it cannot be loaded", zap.String("path", path), zap.Error(err))
	}
	return d, nil
}

// try loads a snapshot into a node that is thrown away.
func try(ctx context.Context, cfg *Config, d *snapshot.Dir, name string) error {
	var loading atomic.Bool
	loading.Store(true)
	b, store, err := newMemory(cfg, &loading, zap.NewNop())
	if err != nil {
		return err
	}
	defer b.Close()
	defer store.Close()
	l := &loader{keys: store.Import(), im: b.Import(cfg.WS.Grace), look: func(*loader) error { return ctx.Err() }}
	return l.load(d, name)
}
