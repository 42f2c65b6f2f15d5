package conversation

import (
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// fencePrefix begins the names of the channels with which peers prove that nothing more arrives.
const fencePrefix = "fence-of-the-runner:"

// fences numbers them for the whole process.
var fences atomic.Int64

// runner is the connection of a section that no peer of the file sees: it prepares the server and
// publishes to fences.
type runner struct{ *respPeer }

// newRunner connects and makes the server as good as new: no keys, and no connection of the section
// before, which may take a moment to be taken down.
func newRunner(dial func() (net.Conn, error)) (*runner, error) {
	p, err := connectRESP(dial, 2, nil)
	if err != nil {
		return nil, err
	}
	r := &runner{respPeer: p}
	if err := r.empty(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *runner) empty() error {
	if v, err := r.ask("FLUSHALL"); err != nil {
		return fmt.Errorf("FLUSHALL: %w", err)
	} else if v.Text != "OK" {
		return fmt.Errorf("FLUSHALL answered %s", v)
	}
	for limit := time.Now().Add(patience); ; {
		v, err := r.ask("CLIENT", "LIST")
		if err != nil {
			return fmt.Errorf("CLIENT LIST: %w", err)
		}
		if strings.Count(v.Text, "\n") == 1 {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("connections of the section before are still there after %s:\n%s", patience, v.Text)
		}
	}
}

func (r *runner) nextFence() string {
	return fmt.Sprintf("%s%d", fencePrefix, fences.Add(1))
}

func (r *runner) publish(channel string) error {
	v, err := r.ask("PUBLISH", channel, "")
	if err == nil && v.Kind != kindInteger {
		err = fmt.Errorf("PUBLISH answered %s", v)
	}
	return err
}
