package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// socketIORules is what js/socketio.mjs finds to hold, in its order.
var socketIORules = []string{
	"serverCount counts the subscribed servers",
	"a room spans both servers and gets each emit once",
	"who is not in the room gets nothing of it",
	"a server can list the sockets of the other",
	"a server can move a client of the other",
	"a server can ask the other",
	"who has left the room gets nothing more",
}

// Two socket.io servers joined through the Redis adapter: the usual way to more than one server. The classic
// adapter uses patterns and NUMSUB, the sharded one shard channels and SHARDNUMSUB.
func TestSocketIO(t *testing.T) {
	node := nodeJS(t)
	for _, server := range servers {
		for _, client := range []string{"ioredis", "node-redis"} {
			for _, adapter := range []string{"classic", "sharded"} {
				t.Run(fmt.Sprintf("%s/%s/%s", server.name, client, adapter), func(t *testing.T) {
					t.Parallel()
					ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
					defer cancel()
					cmd := exec.CommandContext(ctx, node, "js/socketio.mjs")
					cmd.Env = append(os.Environ(), "BROKER="+server.start(t), "CLIENT="+client, "ADAPTER="+adapter)
					out, err := cmd.CombinedOutput()
					lines := strings.Split(string(out), "\n")
					for _, rule := range socketIORules {
						if !slices.Contains(lines, "ok "+rule) {
							t.Errorf("%s: %v\n%s", rule, err, out)
							return // the program stops at the first that does not hold
						}
					}
					if err != nil {
						t.Errorf("after all rules: %v\n%s", err, out)
					}
				})
			}
		}
	}
}
