package resp

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"fanfare/broker"
)

// A reply that may become as long as the client likes, or as a collection is, ends when it is too long, and
// nobody waits for what will not be sent.
func TestRepliesOfManyElementsAreBounded(t *testing.T) {
	t.Parallel()
	for i, command := range []string{
		"HGETALL h", "HKEYS h", "HVALS h", "HMGET h" + strings.Repeat(" 1", 100), "HSCAN h 0 COUNT 1000",
		"HRANDFIELD h 1000", "HRANDFIELD h -9223372036854775807", "HRANDFIELD h -4611686018427387903 WITHVALUES",
		"SMEMBERS s", "SUNION s", "SINTER s s", "SDIFF s none", "SSCAN s 0 COUNT 1000", "SRANDMEMBER s 1000", "SRANDMEMBER s -9223372036854775807",
		"SRANDMEMBER i -9223372036854775807", "SPOP s 1000",
	} {
		n := start(t, func(c *Config, _ *broker.Config) { c.MaxReply = 5000 })
		p := n.dial()
		long := strings.Repeat("x", 70)
		p.send("SADD i 1").want(":1")
		for j := range 100 {
			p.send(fmt.Sprintf("HSET h %d%s %s|HSET h 1 %s|SADD s %d%s", j, long, long, long, j, long))
			_, _, _ = p.read(), p.read(), p.read()
		}
		if p.send([]string{"PING", "MULTI|" + command + "|EXEC"}[i%2]); i%2 == 0 {
			p.want("+PONG").send(command)
		}
		if rest, err := io.ReadAll(p.in); err != nil || strings.Contains(string(rest), "xxx") {
			t.Errorf("%s: got %d bytes, %v; want the connection closed without the reply", command, len(rest), err)
		}
		if got := n.broker.Stats().Ended[broker.ReasonTooBig]; got != 1 {
			t.Errorf("%s: got %d connections ended, want 1", command, got)
		}
	}
}
