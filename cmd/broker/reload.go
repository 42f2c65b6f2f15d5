package main

import (
	"go.uber.org/zap"

	"fanfare/broker"
)

// reloader reads the configuration again while the broker runs, from the same
// flags, environment and file as the start did, and puts its rules in force. All
// other settings are those of the start: sockets, queues and stores are made for
// them, so a change waits for the next start, and the log says so.
//
// It is used by one goroutine, the one that also stops the broker: a reload is
// done or has not begun when the stop begins.
type reloader struct {
	args, env []string
	started   Config // the configuration of the start
	broker    *broker.Broker
	// certificates are read again too, whatever the file says: their paths are those of
	// the start.
	certificates []*certificates
	log          *zap.Logger
}

// reload reads the certificates again and puts the rules of the file in force, all of
// them or, if anything in the configuration is wrong, none.
func (r *reloader) reload() {
	for _, c := range r.certificates {
		c.reload()
	}
	if r.started.File == "" {
		r.log.Info("nothing to reload: the broker was started without a configuration file")
		return
	}
	next, err := load(r.args, r.env)
	if err == nil {
		err = r.broker.SetRules(next.Broker.Rules)
	}
	if err != nil {
		r.log.Error("configuration not reloaded: nothing has changed", zap.String("file", r.started.File), zap.Error(err))
		return
	}
	if keys := changed(&r.started, &next); len(keys) > 0 {
		r.log.Warn("changed settings need a restart", zap.Strings("settings", keys))
	}
	r.log.Info("configuration reloaded", zap.String("file", r.started.File), zap.Int("rules", len(next.Broker.Rules)))
}

// changed returns the keys of the settings that differ. Their values may be
// secrets.
func changed(a, b *Config) []string {
	var keys []string
	for _, s := range settings {
		if s.value(a).String() != s.value(b).String() {
			keys = append(keys, s.key)
		}
	}
	return keys
}
