package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// people are those this example knows; a service has them in its database.
var people = []string{"ada", "bob", "eve"}

// The channels. What is for Ada goes to "user:ada", whose history keeps it for her return.
const (
	userPrefix    = "user:"
	occupancy     = "__occupancy__:user:*" // the broker says who listens to a channel of their own
	hereChannel   = "notify:here"          // retained: who is here, for the page
	outboxChannel = "notify:outbox"        // its history is the mails
)

// desk knows who is here, and decides which way a notification takes. The number of receivers that PUBLISH
// answers would not do: it counts an audit log, too, that subscribes to user:*.
type desk struct {
	redis *redis.Client
	wait  time.Duration

	mu   sync.Mutex
	seen map[string]visits // by person
}

type visits struct {
	here  bool
	count int // how often the person came
}

// notification is what a person gets.
type notification struct {
	To   string `json:"to,omitempty"` // in mails only: a person's own channel says it
	Text string `json:"text"`
}

func newDesk(client *redis.Client, wait time.Duration) *desk {
	return &desk{redis: client, wait: wait, seen: make(map[string]visits)}
}

// watch learns who is here, and goes on learning it until the program ends.
func (d *desk) watch(ctx context.Context) error {
	events := d.redis.PSubscribe(ctx, occupancy)
	if _, err := events.Receive(ctx); err != nil {
		return fmt.Errorf("subscribe to %s: %w", occupancy, err)
	}
	// Only now: whoever comes or leaves while the list is made is in it or in an event.
	if err := d.list(ctx); err != nil {
		return err
	}
	go func() {
		for event := range events.ChannelWithSubscriptions() {
			if err := d.learn(ctx, event); err != nil {
				fmt.Fprintln(os.Stderr, "notify:", err)
			}
		}
	}()
	return nil
}

// learn takes an event; or the list anew, when go-redis has lost the connection and subscribed again.
func (d *desk) learn(ctx context.Context, event any) error {
	m, ok := event.(*redis.Message)
	if !ok {
		return d.list(ctx)
	}
	var change struct{ Occupied, Vacated string }
	if err := json.Unmarshal([]byte(m.Payload), &change); err != nil {
		return fmt.Errorf("event on %s: %w", m.Channel, err)
	}
	d.note(strings.TrimPrefix(change.Occupied+change.Vacated, userPrefix), change.Occupied != "")
	return d.tell(ctx)
}

func (d *desk) list(ctx context.Context) error {
	channels, err := d.redis.PubSubChannels(ctx, userPrefix+"*").Result()
	if err != nil {
		return fmt.Errorf("ask who is here: %w", err)
	}
	for _, person := range people {
		d.note(person, slices.Contains(channels, userPrefix+person))
	}
	return d.tell(ctx)
}

func (d *desk) note(person string, here bool) {
	if !slices.Contains(people, person) {
		return // anybody may listen to the channel of nobody
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.seen[person]
	if here && !v.here {
		v.count++
	}
	v.here = here
	d.seen[person] = v
}

func (d *desk) look(person string) visits {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[person]
}

// tell retains who is here, so that a page knows it as soon as it is open.
func (d *desk) tell(ctx context.Context) error {
	state := make(map[string]bool)
	for _, person := range people {
		state[person] = d.look(person).here
	}
	text, _ := json.Marshal(state) // cannot fail
	if err := d.redis.Do(ctx, "RETAIN", hereChannel, text).Err(); err != nil {
		return fmt.Errorf("retain %s: %w (does the broker have the rules of examples/notify/broker.toml?)", hereChannel, err)
	}
	return nil
}

// ServeHTTP takes {"to":"ada","text":"…"} and answers the way: browser, or mail if she does not come back.
func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := read(http.MaxBytesReader(w, r.Body, 8<<10))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	way, err := d.notify(r.Context(), n)
	if err != nil {
		fmt.Fprintln(os.Stderr, "notify:", err)
		http.Error(w, "the broker does not answer", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, way)
}

// notify publishes, for those who are here or come back. Who is away and stays away gets a mail.
func (d *desk) notify(ctx context.Context, n notification) (way string, err error) {
	before := d.look(n.To)
	text, _ := json.Marshal(notification{Text: n.Text}) // cannot fail
	if err := d.redis.Publish(ctx, userPrefix+n.To, text).Err(); err != nil {
		return "", fmt.Errorf("publish: %w", err)
	}
	if before.here {
		return "browser", nil
	}
	time.AfterFunc(d.wait, func() {
		if d.look(n.To).count == before.count {
			d.mail(n)
		}
	})
	return "mail", nil
}

// mail would send a mail; here it is shown on the page.
func (d *desk) mail(n notification) {
	text, _ := json.Marshal(n) // cannot fail
	if err := d.redis.Publish(context.Background(), outboxChannel, text).Err(); err != nil {
		fmt.Fprintln(os.Stderr, "notify: mail:", err)
	}
}

func read(body io.Reader) (n notification, err error) {
	if err := json.NewDecoder(body).Decode(&n); err != nil {
		return n, fmt.Errorf("no notification: %w", err)
	}
	if !slices.Contains(people, n.To) || strings.TrimSpace(n.Text) == "" {
		return n, errors.New("want somebody who is known, and a text")
	}
	return n, nil
}
