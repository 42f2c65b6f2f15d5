package conversation

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

// lateServer answers a fence as a server does that is still distributing an earlier message: the message
// comes after the answer to SUBSCRIBE, as it would after that to a PING.
func lateServer(peer, runner net.Conn) error {
	defer func() { _, _ = peer.Close(), runner.Close() }()
	command, err := ReadValue(bufio.NewReader(peer))
	if err != nil {
		return err
	}
	channel := command.Elems[1].Text
	for _, send := range []struct {
		to   net.Conn
		text string
	}{
		{peer, "*3\r\n+subscribe\r\n+" + channel + "\r\n:1\r\n"},
		{runner, ""},
		{runner, ":1\r\n"},
		{peer, "*3\r\n+message\r\n+late\r\n+x\r\n"},
	} {
		if send.text == "" {
			_, err = ReadValue(bufio.NewReader(send.to))
		} else {
			_, err = send.to.Write([]byte(send.text))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func TestAFenceSeesAMessageThatIsStillOnItsWay(t *testing.T) {
	t.Parallel()
	peerEnd, peerServer := net.Pipe()
	runnerEnd, runnerServer := net.Pipe()
	done := make(chan error, 1)
	go func() { done <- lateServer(peerServer, runnerServer) }()
	p := &respPeer{conn: peerEnd, in: bufio.NewReader(peerEnd)}
	r := &runner{&respPeer{conn: runnerEnd, in: bufio.NewReader(runnerEnd)}}
	err := p.fence(r)
	p.close() // the server must not wait for a peer that has stopped reading
	r.close()
	if err == nil || !strings.Contains(err.Error(), "late +x], want nothing more") {
		t.Errorf("got %v, want the late message to be named", err)
	}
	if err := <-done; err != nil {
		t.Errorf("the server: %v", err)
	}
}

func TestASectionWaitsForTheConnectionsBeforeIt(t *testing.T) {
	t.Parallel()
	client, server := net.Pipe()
	asked := make(chan int, 1)
	go func() {
		defer func() { _ = server.Close() }()
		in := bufio.NewReader(server)
		n := 0
		for _, answer := range []string{"+OK\r\n", "$10\r\nid=1\nid=2\n\r\n", "$5\r\nid=2\n\r\n"} {
			if _, err := ReadValue(in); err != nil {
				break
			}
			n++
			if _, err := server.Write([]byte(answer)); err != nil {
				break
			}
		}
		asked <- n
	}()
	r, err := newRunner(func() (net.Conn, error) { return client, nil })
	if err != nil {
		t.Fatal(err)
	}
	r.close() // the server must not wait for a question that does not come
	if got := <-asked; got != 3 {
		t.Errorf("asked %d times, want FLUSHALL and CLIENT LIST until one connection is left", got)
	}
}
