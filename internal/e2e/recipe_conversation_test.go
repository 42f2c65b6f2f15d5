package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/conversation"
)

// The conversations of the recipes are held as they stand, with Fanfare and, where no browser takes part, with
// redis-server.
func TestRecipesAreTrue(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/recipes/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	for _, page := range pages {
		file := conversationOf(t, page)
		title := strings.TrimSuffix(filepath.Base(page), ".md")
		t.Run("redis/"+title, func(t *testing.T) {
			t.Parallel()
			conversation.Run(t, file, conversation.Redis(t))
		})
		t.Run("fanfare/"+title, func(t *testing.T) {
			t.Parallel()
			n := startRaced(t)
			conversation.Run(t, file, conversation.Dialer{
				Name: "Fanfare", Release: "7.2.4", Fanfare: true,
				RESP:      func() (net.Conn, error) { return net.Dial("tcp", n.RESP) },
				WebSocket: func() (conversation.WebSocket, error) { return dialRecipePage(t, n) },
			})
		})
	}
}

// conversationOf writes the conversations of a page to a file in which lines have the numbers they have in the
// page; each becomes a section named by its number and the heading above it.
func conversationOf(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	lines, heading, inside, found := strings.Split(string(text), "\n"), "", false, 0
	for i, line := range lines {
		switch {
		case inside && line == "```":
			inside, lines[i] = false, ""
		case inside:
		case line == "```conversation":
			found++
			inside, lines[i] = true, fmt.Sprintf("== %d: %s", found, heading)
		default:
			if strings.HasPrefix(line, "#") {
				heading = strings.TrimLeft(line, "# ")
			}
			lines[i] = ""
		}
	}
	if found == 0 || inside {
		t.Fatalf("%s: got %d conversations, want some, all of them closed", page, found)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(page))
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// recipePage is a browser's connection in a conversation, in which nobody else subscribes.
type recipePage struct {
	c     *websocket.Conn
	other *redis.Client
}

func dialRecipePage(t *testing.T, n *node) (conversation.WebSocket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+n.HTTP+"/ws", nil)
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(-1)
	return recipePage{c, dial(t, n.RESP, 2)}, nil
}

func (p recipePage) Send(text string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.c.Write(ctx, websocket.MessageText, []byte(text))
}

func (p recipePage) Receive(deadline time.Time) (string, error) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	_, b, err := p.c.Read(ctx)
	if websocket.CloseStatus(err) != -1 || errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return string(b), err
}

// Close returns once the broker has noticed: what the page is subscribed to must not count in the next section.
func (p recipePage) Close() error {
	err := p.c.CloseNow()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if left, asked := p.other.PubSubChannels(ctx, "*").Result(); asked != nil || len(left) == 0 {
			return errors.Join(err, asked, p.other.Close())
		}
		<-tick.C
	}
}
