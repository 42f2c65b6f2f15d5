package resp

import "testing"

// What a connection is told before the command that ends RESP3 precedes its reply, also
// where it was the last one that tracked: in RESP2 it would be taken for a reply.
func TestNothingInTheFormOfRESP3FollowsTheEndOfRESP3(t *testing.T) {
	t.Parallel()
	const told = ">[invalidate [k]]"
	for name, tt := range map[string]struct {
		end     string
		replies []string
	}{
		"by RESET":   {"RESET", []string{told, "+RESET"}},
		"by HELLO 2": {"CLIENT TRACKING OFF|HELLO 2", []string{"+OK", told}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tracks(start(t, nil), "")
			p.send("GET k|SET k v|"+tt.end).want("nil", "+OK").want(tt.replies...)
			if name == "by HELLO 2" {
				p.read()
			}
			p.send("PING").want("+PONG")
		})
	}
}

// NOLOOP is about what a client does itself, also where it had to wait and another one
// has done it for it.
func TestNoLoopIncludesWhatAClientHasWaitedFor(t *testing.T) {
	t.Parallel()
	for mode, told := range map[string][]string{
		"NOLOOP":       {">[invalidate [moved]]"},
		"BCAST NOLOOP": {">[invalidate [k moved]]"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			n := start(t, nil)
			waiter, pusher := tracks(n, mode), tracks(n, mode)
			for _, p := range []*peer{waiter, pusher} {
				p.send("LLEN moved").want(":0")
			}
			waiter.send("PING|BLMOVE k moved LEFT LEFT 0").want("+PONG")
			pusher.send("RPUSH k e").want(":1").want(told...)
			if mode == "BCAST NOLOOP" {
				waiter.want(">[invalidate [k]]") // of the push
			}
			waiter.want("e")
			for _, p := range []*peer{waiter, pusher} {
				p.send("PING").want("+PONG")
			}
		})
	}
}

// An invalidation that comes while HELLO 3 is executed follows its reply, or has no form.
func TestNothingInTheFormOfRESP3PrecedesRESP3(t *testing.T) {
	t.Parallel()
	n := start(t, nil)
	writer := n.dial()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				writer.send("SET k v").read()
			}
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	p := n.dial()
	p.send("CLIENT TRACKING ON BCAST").want("+OK")
	for round := range 1000 {
		if got := p.send("HELLO 3").read(); got[0] == '>' {
			t.Fatalf("round %d: got %s before the reply", round, got)
		}
		for got := p.send("RESET").read(); got != "+RESET"; got = p.read() {
		}
		p.send("CLIENT TRACKING ON BCAST").want("+OK")
	}
}
