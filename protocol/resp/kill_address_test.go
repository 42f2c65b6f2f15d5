package resp_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"fanfare/internal/conversation"
	"fanfare/internal/place"
)

// CLIENT KILL address, the form before there were filters. Not a conversation, because only over TCP has each
// connection an address of its own.
func TestKillByAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		rule    string
		command []string
		self    bool // the address is one's own
		want    string
		ends    bool
	}{
		{"the old form ends another connection", []string{"CLIENT", "KILL"}, false, "+OK", true},
		{"the old form does not skip oneself, and answers first", []string{"CLIENT", "KILL"}, true, "+OK", true},
		{"the filter ends another connection", []string{"CLIENT", "KILL", "ADDR"}, false, ":1", true},
		{"the filter skips oneself", []string{"CLIENT", "KILL", "ADDR"}, true, ":0", false},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			d := serve(t, place.TCP(t))
			killer, other, bystander := dialWire(t, d, 3), dialWire(t, d, 3), dialWire(t, d, 2)
			victim := other
			if tt.self {
				victim = killer
			}
			got := killer.exchange(t, [][]string{append(tt.command, victim.conn.LocalAddr().String())})[0]
			if got.String() != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if tt.ends {
				victim.wantEnd(t)
			} else {
				victim.wantAlive(t)
			}
			if victim != killer {
				killer.wantAlive(t)
			} else {
				other.wantAlive(t)
			}
			bystander.wantAlive(t)
		})
	}
}

func (w *wire) wantAlive(t *testing.T) {
	t.Helper()
	if got := w.exchange(t, [][]string{{"PING"}})[0].String(); got != "+PONG" {
		t.Errorf("got %s, want an answer", got)
	}
}

func (w *wire) wantEnd(t *testing.T) {
	t.Helper()
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if v, err := conversation.ReadValue(w.in); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v, want the end of the connection", v, err)
	}
}
