package resp_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/internal/place"
	"fanfare/kv"
	"fanfare/protocol/resp"
	"fanfare/protocol/ws"
)

// patience is how long a test waits for what has to come.
const patience = 2 * time.Minute

// Every file holds against redis-server, which proves that it is true, and against Fanfare over every
// kind of connection.
func TestConversations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	files = slices.DeleteFunc(files, isOwn)
	for _, file := range files {
		title := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run("redis/"+title, func(t *testing.T) {
			t.Parallel()
			conversation.Run(t, file, conversation.Redis(t))
		})
		for name, at := range place.Kinds {
			t.Run(name+"/"+title, func(t *testing.T) {
				t.Parallel()
				conversation.Run(t, file, serve(t, at(t)))
			})
		}
	}
}

// serve starts a Fanfare for the test and stops it at its end.
func serve(t *testing.T, p place.Place, rules ...broker.Rule) conversation.Dialer {
	t.Helper()
	b, err := broker.New(broker.Config{Codecs: []broker.Codec{resp.Codec2(), resp.Codec3(), ws.Codec()}, Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	changes := new(resp.Changes)
	store := kv.New(kv.Config{Event: resp.KeyspaceEvents(b), Touched: changes.Touched})
	s, err := resp.New(resp.Config{Broker: b, Store: store, Changes: changes, RESP2: 0, RESP3: 1, TLS: p.TLS, Snapshots: &resp.Snapshots{
		Loading: func() bool { return false },
		Save:    func() error { return nil },
		Stats:   func() resp.SnapshotStats { return resp.SnapshotStats{Last: time.Now()} },
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(); store.Close() })
	p.Serve(t, s, inOrder)
	return conversation.Dialer{Name: "Fanfare", Release: "7.2.4", Fanfare: true, RESP: p.Dial}
}

// inOrder says that a server has ended because it was told to.
func inOrder(err error) bool { return errors.Is(err, resp.ErrServerClosed) }
