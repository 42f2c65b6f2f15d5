// Command chat serves a chat over Fanfare: one page, no framework, no state of its own. Rooms, who is in
// them, who is typing, what was said before and what was said while the network was gone all come from the
// broker, through the JavaScript client that it serves. Browsers and Redis clients meet on the same channels:
// room "lobby" is the channel "chat:lobby".
//
// The server only hands out files; the page talks to the broker by itself.
package main

import (
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"fanfare/examples/internal/page"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "address of the page")
	broker := flag.String("broker", "ws://localhost:8080/ws", "WebSocket address of the broker, as the browser reaches it")
	flag.Parse()
	if err := run(*listen, *broker); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

//go:embed page
var files embed.FS

func newPage(broker string) (*page.Page, error) {
	root, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	return page.New(page.Config{Files: root, Broker: broker})
}

func run(listen, broker string) error {
	p, err := newPage(broker)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w (choose another address with --listen)", err)
	}
	fmt.Printf("Fanfare chat: http://%s/\nBroker:       %s\n", page.Address(l.Addr()), broker)
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	return server.Serve(l)
}
