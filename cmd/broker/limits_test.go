package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// The transport's own 0 is its default, not "none".
func TestNoLimitOfRequestsIsNone(t *testing.T) {
	t.Parallel()
	for rate, want := range map[string]string{"0": `{"pong":19,`, "1": `{"err":429,`} {
		t.Run("ws-rate="+rate, func(t *testing.T) {
			t.Parallel()
			p := start(t, "--ws-rate="+rate, "--ws-burst=1")
			c, _, err := websocket.Dial(t.Context(), "ws://"+p.http+"/ws", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.CloseNow() }()
			if _, _, err := c.Read(t.Context()); err != nil { // The welcome.
				t.Fatal(err)
			}
			answers := ""
			for i := range 20 {
				if err := c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"ping":%d,"id":%[1]d}`, i)); err != nil {
					t.Fatal(err)
				}
				_, answer, err := c.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				answers += string(answer)
			}
			if !strings.Contains(answers, want) || strings.Contains(answers, "429") != (rate == "1") {
				t.Errorf("got %s, want one with %s", answers, want)
			}
		})
	}
}
