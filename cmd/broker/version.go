package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// Set by the linker (Makefile). A build without it asks the toolchain.
var (
	version = ""
	commit  = ""
	date    = ""
)

// buildVersion is the version other programs are told (INFO fanfare_version).
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// printVersion is the command "broker version".
func printVersion(args []string, w io.Writer) error {
	if len(args) > 0 {
		return usageError(fmt.Errorf("version takes no argument, but was given %q", shorten(args[0])))
	}
	_, err := fmt.Fprintf(w, "broker %s (commit %s of %s, %s %s/%s)\n", buildVersion(),
		cmp.Or(commit, "unknown"), cmp.Or(date, "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
