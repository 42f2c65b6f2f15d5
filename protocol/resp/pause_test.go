package resp

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/broker"
)

func TestAPausedConnectionGetsWhatWasBeforeAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, nil)
		begin := time.Now()
		subscriber := n.dial().send("SUBSCRIBE a").want("[subscribe a :1]")
		n.dial().send("CLIENT PAUSE 10000 WRITE").want("+OK")
		p := n.dial().send("PING|PUBLISH a 1|SET k v|PING").want("+PONG")
		if got := time.Since(begin); got != 0 {
			t.Errorf("the reply before the pause came after %v", got)
		}
		n.dial().send("GET k").want("nil")
		subscriber.want(`[message a "1"]`)
		if got, want := time.Since(begin), 10*time.Second; got != want {
			t.Errorf("the message came after %v, want %v", got, want)
		}
		p.want(":1", "+OK", "+PONG")
		if got, want := time.Since(begin), 10*time.Second; got != want {
			t.Errorf("the command ran after %v, want %v", got, want)
		}
	})
}

func TestAPauseIsOnlyEverProlonged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, nil)
		begin := time.Now()
		p := n.dial().send("CLIENT PAUSE 10000 WRITE|CLIENT PAUSE 5000 WRITE|SET k v").want("+OK", "+OK", "+OK")
		if got, want := time.Since(begin), 10*time.Second; got != want {
			t.Errorf("the pause lasted %v, want %v", got, want)
		}
		// One that begins while somebody waits for a shorter one holds them too,
		// and the wider mode wins.
		begin = time.Now()
		p.send("CLIENT PAUSE 5000 WRITE|SET k v").want("+OK")
		synctest.Wait()
		other := n.dial().send("CLIENT PAUSE 20000 ALL|PING").want("+OK")
		p.want("+OK")
		other.want("+PONG")
		if got, want := time.Since(begin), 20*time.Second; got != want {
			t.Errorf("the pause lasted %v, want %v", got, want)
		}
	})
}

// Both ends leave the command without effect.
func TestTheEndOfAPausedConnectionWakesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := start(t, nil)
		admin := n.dial().send("CLIENT PAUSE 3600000 WRITE").want("+OK")
		killed := n.dial().send("CLIENT SETNAME x|SET k v").want("+OK")
		n.dial().send("SET k v") // waits when the server stops, which must not wait for it
		synctest.Wait()
		admin.send("INFO clients")
		if got := admin.read(); !strings.Contains(got, `blocked_clients:2\r\n`) {
			t.Errorf("got %s", got)
		}
		admin.send("CLIENT KILL ID 2").want(":1")
		killed.closed()
		synctest.Wait()
		admin.send("EXISTS k|INFO clients").want(":0")
		if got := admin.read(); !strings.Contains(got, `blocked_clients:1\r\n`) {
			t.Errorf("got %s", got)
		}
	})
}

func TestAMonitorThatDoesNotReadIsEnded(t *testing.T) {
	t.Parallel()
	n := start(t, func(c *Config, _ *broker.Config) { c.PushHard, c.PushSoft = 256<<10, 256<<10 })
	monitor := n.dial().send("MONITOR").want("+OK")
	p, value := n.dial(), strings.Repeat("v", 10<<10)
	for range 1000 {
		p.send("SET k " + value).want("+OK")
		if n.broker.Stats().Ended[broker.ReasonSlow] > 0 {
			break
		}
	}
	if got := n.broker.Stats().Ended[broker.ReasonSlow]; got != 1 {
		t.Fatalf("got %d slow sessions, want 1", got)
	}
	for monitor.read() != "EOF" {
		if t.Failed() {
			return
		}
	}
	p.send("INFO clients")
	for !strings.Contains(p.read(), `monitor_clients:0\r\n`) {
		p.send("INFO clients")
	}
}

func TestACommandPaysForMonitorsOnlyWhenThereAreSome(t *testing.T) {
	n := start(t, nil)
	c, _ := n.open()
	args := [][]byte{[]byte("GET"), []byte("k")}
	run := func() {
		c.w.buf = c.w.buf[:0]
		c.dispatch(args)
	}
	run()
	if got := testing.AllocsPerRun(100, run); got != 0 {
		t.Errorf("got %v allocations for a GET, want none", got)
	}
}
