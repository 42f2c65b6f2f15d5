package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// checkConfig is the command "broker check-config [FILE]": it reads the
// configuration as a start with the same flags and environment would, and
// starts nothing. What it prints is what differs from the defaults, the rights of
// browsers and the rules, without secrets.
func checkConfig(args, env []string, w io.Writer) error {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		args = append([]string{"--config", args[0]}, args[1:]...)
	}
	cfg, err := load(args, env)
	if err != nil {
		return err
	}
	doubts, err := checkCertificates(&cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "The configuration is good.\n%s%s%s%s", doubts, changes(&cfg), describeAccess(&cfg.Access), describeRules(cfg.Broker.Rules))
	return err
}

// checkCertificates reads the certificates as a start would, and says what is doubtful
// about them, one line each.
func checkCertificates(cfg *Config) (string, error) {
	var lines strings.Builder
	for _, t := range cfg.tlsTables() {
		c, err := t.read(t.name, time.Now())
		if err != nil {
			return "", err
		}
		for _, d := range t.doubts(t.name, c, time.Now()) {
			fmt.Fprintf(&lines, "But %s\n", d)
		}
	}
	return lines.String(), nil
}

// changes lists the settings that differ from their defaults, one per line and
// in the notation of the flags, without secrets.
func changes(cfg *Config) string {
	var b strings.Builder
	initial := defaults()
	for _, s := range settings {
		was, is := s.value(&initial).String(), s.value(cfg).String()
		switch {
		case was == is:
		case s.secret():
			fmt.Fprintf(&b, "  %s is set\n", s.key)
		default:
			fmt.Fprintf(&b, "  %s = %s (default %s)\n", s.key, is, orNothing(was))
		}
	}
	return b.String()
}

func orNothing(text string) string {
	if text == "" {
		return "empty"
	}
	return text
}
