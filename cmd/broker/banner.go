package main

import (
	"fmt"
	"io"
	"net"
	"strings"
)

// printBanner tells a person where the broker listens and what to type next.
// It goes to standard output, which carries nothing else; the log says the
// same to programs.
func printBanner(w io.Writer, s *sockets, cfg *Config) {
	var b strings.Builder
	stays := "Everything is in memory and ends with this process."
	if cfg.Dir != "" {
		stays = "Snapshots are kept in " + cfg.Dir + "."
	}
	fmt.Fprintf(&b, "Fanfare %s is running. %s\n\n", buildVersion(), stays)
	for _, l := range s.resp {
		fmt.Fprintf(&b, "  Redis clients  %s\n", l.Addr())
	}
	for _, l := range s.http {
		fmt.Fprintf(&b, "  browsers       http://%s/   ws://%[1]s%s\n", l.Addr(), cfg.WS.Path)
	}
	b.WriteByte('\n')
	if len(s.resp) > 0 {
		cli := "redis-cli" + cliArguments(s.resp[0].Addr())
		fmt.Fprintf(&b, "Try, in two more terminals:\n\n  %s PSUBSCRIBE 'chat:*'\n  %[1]s PUBLISH chat:lobby hi\n\n", cli)
	}
	if len(s.http) > 0 {
		fmt.Fprintf(&b, "Open http://%s/ in a browser. ", shown(s.http[0].Addr()))
	}
	b.WriteString("Ctrl-C ends the broker.\n")
	_, _ = io.WriteString(w, b.String()) // A closed standard output is no reason not to serve.
}

// cliArguments are what redis-cli needs to reach the address, nothing for its
// own default.
func cliArguments(a net.Addr) string {
	if a.Network() == "unix" {
		return " -s " + a.String()
	}
	tcp, ok := a.(*net.TCPAddr)
	if !ok || (tcp.IP.IsLoopback() && tcp.Port == 6379) {
		return ""
	}
	if tcp.IP.IsLoopback() || tcp.IP.IsUnspecified() {
		return fmt.Sprintf(" -p %d", tcp.Port)
	}
	return fmt.Sprintf(" -h %s -p %d", tcp.IP, tcp.Port)
}

// shown writes a loopback address by the name one types.
func shown(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return a.String()
}
