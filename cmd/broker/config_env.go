package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// brokerVariables picks the variables that are ours out of an environment.
func brokerVariables(env []string) map[string]string {
	ours := map[string]string{}
	for _, entry := range env {
		if name, text, found := strings.Cut(entry, "="); found && strings.HasPrefix(name, "BROKER_") {
			ours[name] = text
		}
	}
	return ours
}

// applyEnvironment sets what BROKER_ variables say. One that is no setting is
// an error: it is more likely a misspelt limit than somebody else's variable.
func applyEnvironment(cfg *Config, vars map[string]string) error {
	rows := map[string]*setting{}
	for i := range settings {
		for _, name := range settings[i].names() {
			rows[envName(name)] = &settings[i]
		}
	}
	var all []error
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if name == envName("config") {
			continue
		}
		row, known := rows[name]
		if !known {
			all = append(all, unknown("environment variable", name, slices.Collect(maps.Keys(rows))))
			continue
		}
		if err := row.value(cfg).Set(vars[name]); err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(all...)
}
