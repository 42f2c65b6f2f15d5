package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"fanfare/broker"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

// Config is everything about a broker that can be chosen. Its fields are
// filled from defaults, then the file, then the environment, then the flags;
// config_table.go says which setting is which field, config_rules.go what a
// channel's rule may say, and config_access.go what stands about rights. The parts of the broker have their own Config, which the
// settings go straight into; what is not a setting in them is filled in by run.go.
type Config struct {
	File string // path of the file that was read; empty: none

	LogLevel      string        // debug, info, warn or error
	LogFormat     string        // json or console
	DrainTimeout  time.Duration // how long a stop may take
	ProtectedMode bool          // refuse to listen beyond loopback without credentials

	Dir             string        // of snapshots; empty: memory only
	SaveEvery       time.Duration // between snapshots; 0: none by itself
	DiscardSnapshot bool          // go on without a snapshot that cannot be loaded

	RESPListen   string      // host:port; empty: no TCP
	RESPUnix     string      // path of a Unix socket; empty: none
	RESPUnixMode fs.FileMode // its permissions
	HTTPListen   string      // host:port; empty: no HTTP

	RESPTLS, HTTPTLS tlsFiles
	TLSMinVersion    string // 1.2 or 1.3

	Access accessConfig // who may do what in browsers; from the file only

	Broker broker.Config
	RESP   resp.Config
	WS     ws.Config
	KV     kv.Config
}

// commandLineError is a mistake in the arguments themselves (exit code 2), as
// opposed to a setting with a wrong value.
type commandLineError struct{ err error }

func (e *commandLineError) Error() string { return e.err.Error() + " (see broker --help)" }
func (e *commandLineError) Unwrap() error { return e.err }

func usageError(err error) error { return &commandLineError{err} }

// load builds the configuration of one invocation from arguments and
// environment, and checks it as a whole. The error names every wrong setting
// found in the first source that has one.
func load(args, env []string) (Config, error) {
	cfg := defaults()
	flags, err := parseFlags(args)
	if err != nil {
		return cfg, err
	}
	environment := brokerVariables(env)
	cfg.File = cmp.Or(flags.config, environment[envName("config")])
	if cfg.File != "" {
		if err := applyFile(&cfg, cfg.File); err != nil {
			return cfg, err
		}
	}
	if err := applyEnvironment(&cfg, environment); err != nil {
		return cfg, err
	}
	if err := flags.apply(&cfg); err != nil {
		return cfg, err
	}
	return cfg, cfg.Validate()
}

// applyFile reads a TOML file into cfg.
func applyFile(cfg *Config, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	if err := applyTOML(cfg, string(text)); err != nil {
		return prefixLines(path, err)
	}
	return nil
}

// prefixLines puts the file's name before every line of an error, so that each
// mistake reads as file:line: what.
func prefixLines(path string, err error) error {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = path + ":" + line
	}
	return errors.New(strings.Join(lines, "\n"))
}
