package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// flagSet is a parsed command line: which settings it names, not yet applied,
// because the file it may name has to be read before.
type flagSet struct {
	config string // --config
	set    []given
}

type given struct {
	row  *setting
	text string
}

// parseFlags reads the arguments. Values are checked when they are applied.
func parseFlags(args []string) (*flagSet, error) {
	parsed := &flagSet{}
	fs := flag.NewFlagSet("broker", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	fs.StringVar(&parsed.config, "config", "", "")
	known := []string{"config", "help"}
	for i := range settings {
		for _, name := range settings[i].names() {
			fs.Var(recorder{parsed, &settings[i]}, name, "")
		}
		known = append(known, settings[i].flagName())
	}
	if err := fs.Parse(args); err != nil {
		return nil, flagError(err, known)
	}
	if fs.NArg() > 0 {
		return nil, usageError(fmt.Errorf("unexpected argument %q: a value follows its flag after an = sign or a blank, switches need the = sign", shorten(fs.Arg(0))))
	}
	return parsed, nil
}

// flagError turns an error of package flag into ours, with the nearest flag.
// The package has no typed errors; a test holds the text relied on here.
func flagError(err error, known []string) error {
	if errors.Is(err, flag.ErrHelp) {
		return flag.ErrHelp
	}
	if name, found := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); found {
		dashed := make([]string, len(known))
		for i, k := range known {
			dashed[i] = "--" + k
		}
		return usageError(unknown("flag", "--"+strings.TrimPrefix(name, "-"), dashed))
	}
	return usageError(err)
}

// apply sets what the command line named, in its order.
func (f *flagSet) apply(cfg *Config) error {
	var all []error
	for _, g := range f.set {
		if err := g.row.value(cfg).Set(g.text); err != nil {
			all = append(all, fmt.Errorf("--%s: %w", g.row.flagName(), err))
		}
	}
	return errors.Join(all...)
}

// recorder is the flag.Value that notes a setting's text.
type recorder struct {
	to  *flagSet
	row *setting
}

// String is asked by package flag, of a zero recorder too.
func (r recorder) String() string { return "" }

// Set notes the text given for the setting.
func (r recorder) Set(text string) error {
	r.to.set = append(r.to.set, given{r.row, text})
	return nil
}

// IsBoolFlag says whether the flag may stand without a value.
func (r recorder) IsBoolFlag() bool {
	if r.row == nil {
		return false
	}
	_, is := r.row.value(new(Config)).(boolValue)
	return is
}
