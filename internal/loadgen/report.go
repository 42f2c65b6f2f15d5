//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
)

// result is what one variant of a scenario yielded, round by round.
type result struct {
	Scenario string    `json:"scenario"`
	Variant  string    `json:"variant"`
	Rounds   []figures `json:"rounds"`
}

// measure runs the variants of s in turn, round after round.
func measure(ctx context.Context, l *lab, s scenario, rounds int) ([]result, error) {
	if s.maxRounds > 0 {
		rounds = min(rounds, s.maxRounds)
	}
	results := make([]result, len(s.variants))
	for i, v := range s.variants {
		results[i] = result{Scenario: s.name, Variant: v.name}
	}
	for round := range rounds {
		for i, v := range s.variants {
			f, err := v.run(ctx, l)
			if err != nil {
				return nil, fmt.Errorf("round %d, %s: %w", round+1, v.name, err)
			}
			results[i].Rounds = append(results[i].Rounds, f)
		}
	}
	return results, nil
}

// spread is the median of some figures with the smallest and the largest.
type spread struct {
	median, low, high float64
}

func spreadOf(values []float64) spread {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return spread{(v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1]}
}

// column returns a variant's figures of one column; ok is false if it has none.
func (r result) column(key string) (values []float64, ok bool) {
	for _, f := range r.Rounds {
		v, ok := f[key]
		if !ok {
			return nil, false
		}
		values = append(values, v)
	}
	return values, len(values) > 0
}

// cell is the table's text for one column.
func (r result) cell(key string) string {
	values, ok := r.column(key)
	if !ok {
		return "-"
	}
	return spreadOf(values).String()
}

// ratioCell is the table's text for r's figures divided by base's, round by
// round: what disturbs a round disturbs both.
func (r result) ratioCell(base *result, key string) string {
	_, ok := r.column(key)
	if !ok || base == nil {
		return "-"
	}
	if _, ok := base.column(key); !ok {
		return "-"
	}
	if base.Variant == r.Variant {
		return "1"
	}
	var ratios []float64
	for i, f := range r.Rounds {
		ratios = append(ratios, f[key]/base.Rounds[i][key])
	}
	return spreadOf(ratios).String() + " of " + base.Variant
}

// String gives three significant digits: more would be noise.
func (s spread) String() string {
	return fmt.Sprintf("%s [%s %s]", digits(s.median), digits(s.low), digits(s.high))
}

func digits(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}

// writeJSON writes all figures of all rounds.
func writeJSON(path string, l *lab, results []result) error {
	text, err := json.MarshalIndent(map[string]any{"conditions": l.describe(), "results": results}, "", "  ")
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
