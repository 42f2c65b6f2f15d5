// Command notify is a back end that tells people things: in the browser if they have it open, else by mail.
//
// It speaks to the broker as any Go program speaks to Redis, with go-redis; the page speaks to it with the
// broker's own JavaScript client. desk.go has all that there is to see.
package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/examples/internal/page"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8091", "address of the page")
	server := flag.String("redis", "127.0.0.1:6379", "address of the broker for this service")
	broker := flag.String("broker", "ws://localhost:8080/ws", "WebSocket address of the broker, as the browser reaches it")
	wait := flag.Duration("wait", 5*time.Second, "who comes back within this time gets no mail")
	flag.Parse()
	if err := run(*listen, *server, *broker, *wait); err != nil {
		fmt.Fprintln(os.Stderr, "notify:", err)
		os.Exit(1)
	}
}

//go:embed page
var files embed.FS

// newPage shows everybody there is to notify, and how long those who are away have to come back.
func newPage(broker string, wait time.Duration) (*page.Page, error) {
	root, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("embedded files: %w", err)
	}
	return page.New(page.Config{Files: root, Broker: broker, Asks: true, Example: struct {
		People []string
		Wait   time.Duration
	}{people, wait}})
}

func run(listen, server, broker string, wait time.Duration) error {
	p, err := newPage(broker, wait)
	if err != nil {
		return err
	}
	client := redis.NewClient(&redis.Options{Addr: server})
	defer func() { _ = client.Close() }()
	d := newDesk(client, wait)
	if err := d.watch(context.Background()); err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w (choose another address with --listen)", err)
	}
	fmt.Printf("Fanfare notify: http://%s/\nBroker:         %s and %s\n", page.Address(l.Addr()), server, broker)
	return (&http.Server{Handler: routes(p, d), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}).Serve(l)
}

// routes lets only the page itself notify people: not any site that somebody here visits.
func routes(p http.Handler, d *desk) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /notify", d)
	mux.Handle("/", p)
	return http.NewCrossOriginProtection().Handler(mux)
}
