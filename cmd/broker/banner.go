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
	secure := ""
	if cfg.HTTPTLS.Cert != "" {
		secure = "s"
	}
	for _, l := range s.http {
		fmt.Fprintf(&b, "  browsers       http%[3]s://%[1]s/   ws%[3]s://%[1]s%[2]s\n", l.Addr(), cfg.WS.Path, secure)
	}
	b.WriteByte('\n')
	if len(s.resp) > 0 {
		cli := "redis-cli" + cliArguments(s.resp[0].Addr(), cfg.RESPTLS.Cert != "")
		fmt.Fprintf(&b, "Try, in two more terminals:\n\n  %s PSUBSCRIBE 'chat:*'\n  %[1]s PUBLISH chat:lobby hi\n\n", cli)
	}
	if len(s.http) > 0 {
		fmt.Fprintf(&b, "Open http%s://%s/ in a browser. ", secure, shown(s.http[0].Addr()))
	}
	b.WriteString("Ctrl-C ends the broker.\n")
	_, _ = io.WriteString(w, b.String()) // A closed standard output is no reason not to serve.
}

// cliArguments are what redis-cli needs to reach the address, nothing for its
// own default. With TLS on TCP it looks among the authorities of the machine.
func cliArguments(a net.Addr, encrypted bool) string {
	if a.Network() == "unix" {
		return " -s " + a.String()
	}
	options := ""
	if encrypted {
		options = " --tls"
	}
	tcp, ok := a.(*net.TCPAddr)
	if !ok || (tcp.IP.IsLoopback() && tcp.Port == 6379) {
		return options
	}
	if tcp.IP.IsLoopback() || tcp.IP.IsUnspecified() {
		return fmt.Sprintf("%s -p %d", options, tcp.Port)
	}
	return fmt.Sprintf("%s -h %s -p %d", options, tcp.IP, tcp.Port)
}

// shown writes a loopback address by the name one types.
func shown(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return a.String()
}
