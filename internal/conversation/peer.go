package conversation

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// respPeer speaks the Redis protocol.
type respPeer struct {
	conn net.Conn
	in   *bufio.Reader
	matcher
}

func connectRESP(dial func() (net.Conn, error), proto int, captured map[string]string) (*respPeer, error) {
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	p := &respPeer{conn: conn, in: bufio.NewReader(conn), matcher: matcher{proto: proto, captured: captured}}
	if proto == 3 {
		v, err := p.ask("HELLO", "3")
		if err == nil && v.Kind != kindMap {
			err = fmt.Errorf("HELLO 3 answered %s", v)
		}
		if err != nil {
			p.close()
			return nil, err
		}
	}
	return p, nil
}

func (p *respPeer) close() { _ = p.conn.Close() }

func (p *respPeer) send(l *line) error {
	if l.do == actRaw {
		text, err := expand(l.text, p.captured)
		if err != nil {
			return err
		}
		return p.write([]byte(text))
	}
	args := make([]string, len(l.words))
	for i, w := range l.words {
		var err error
		if args[i], err = expand(w, p.captured); err != nil {
			return err
		}
	}
	return p.command(args...)
}

func (p *respPeer) command(args ...string) error {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, a := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(a)), 10)
		b = append(b, "\r\n"+a+"\r\n"...)
	}
	return p.write(b)
}

// write sends everything. A server that refuses what it is being sent closes while it is still coming;
// what it answered is read afterwards, so this is no error here.
func (p *respPeer) write(b []byte) error {
	if err := p.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := p.conn.Write(b); err != nil && !isReset(err) {
		return err
	}
	return nil
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// receive gives the next value that does not belong to a fence.
func (p *respPeer) receive() (fmt.Stringer, error) {
	for {
		v, err := p.read()
		if err != nil || !strings.Contains(v.String(), fencePrefix) {
			return v, err
		}
	}
}

func (p *respPeer) read() (Value, error) {
	if err := p.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return Value{}, err
	}
	v, err := ReadValue(p.in)
	if isTimeout(err) {
		return v, fmt.Errorf("nothing within %s", patience)
	}
	return v, err
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// ask sends a command and reads the next value.
func (p *respPeer) ask(args ...string) (Value, error) {
	if err := p.command(args...); err != nil {
		return Value{}, err
	}
	return p.read()
}

func (p *respPeer) matches(l *line, got fmt.Stringer) bool {
	v, isValue := got.(Value)
	return isValue && p.matcher.matches(&l.want, v)
}

// fence proves that nothing more arrives: a message published now is the next thing that does. Servers
// keep one order per connection, so whatever was on its way comes before it. A PING would prove less, for
// a server may answer it while an earlier message is still being distributed.
func (p *respPeer) fence(r *runner) error {
	channel := r.nextFence()
	if err := p.await(channel, "subscribe", "SUBSCRIBE", channel); err != nil {
		return err
	}
	if err := r.publish(channel); err != nil {
		return err
	}
	if err := p.await(channel, "message"); err != nil {
		return err
	}
	return p.await(channel, "unsubscribe", "UNSUBSCRIBE", channel)
}

// await sends the command, if there is one, and reads up to the frame about the fence; other patterns of
// the peer may see the fence's message as well.
func (p *respPeer) await(channel, kind string, command ...string) error {
	if len(command) > 0 {
		if err := p.command(command...); err != nil {
			return err
		}
	}
	for {
		v, err := p.read()
		if err != nil {
			return fmt.Errorf("got %w, want nothing but the answer to the runner's own %s", err, kind)
		}
		if !strings.Contains(v.String(), fencePrefix) {
			return fmt.Errorf("got %s, want nothing more", v)
		}
		if len(v.Elems) == 3 && v.Elems[0].Text == kind && v.Elems[1].Text == channel {
			return nil
		}
	}
}
