package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// rules writes a configuration with these rules and returns the flags that make a broker read it.
func rules(t *testing.T, text string) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broker.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config", path}
}

const rememberAll = `
[[channel]]
match = "chat:*"
history = { size = 20_000 }
presence = true
`

// window opens the broker's own page, reached at addr, and connects the broker's client there as chat.
func (c chromium) window(t *testing.T, name, addr string) *tab {
	t.Helper()
	b := c.open(t, name, "http://"+addr+"/")
	b.connect()
	return b
}

// connect does what a page does: everything that happens is written down.
func (b *tab) connect() {
	b.t.Helper()
	eval[chromedp.Void](b, `(async () => {
		window.gaps = []
		window.states = []
		const { connect } = await import('/client.js')
		window.chat = connect('ws://' + location.host + '/ws', { backoff: { min: 50, max: 400 } })
		chat.on('state', state => states.push(state))
		window.watch = (name, options) => {
			const log = []
			const handler = m => log.push({ channel: m.channel, data: m.data, offset: m.offset, retained: m.retained, recovered: m.recovered })
			const room = name.includes('*') ? chat.psubscribe(name, handler, options) : chat.subscribe(name, handler, options)
			room.on('gap', gap => gaps.push(gap))
			for (const event of ['joined', 'updated', 'left']) room.on(event, m => log.push({ [event]: m.user, data: m.data }))
			return { room, log, ready: new Promise(done => room.on('subscribed', done)) }
		}
	})()`)
	b.await(`chat.state == 'open'`)
}

// watch subscribes to a channel or pattern under a name of JavaScript, and returns once it is acknowledged.
func (b *tab) watch(variable, channel, options string) {
	b.t.Helper()
	eval[chromedp.Void](b, fmt.Sprintf(`window.%s = watch(%q, %s); %[1]s.ready`, variable, channel, options))
}

// texts is what the handler of a variable has got, in order.
func (b *tab) texts(variable string) []string {
	b.t.Helper()
	return eval[[]string](b, variable+`.log.map(m => m.data)`)
}

// ageBy makes the page believe that so much time has passed: the client looks at the clock every 5 s, and 35 s
// of silence are too long to wait for.
func (b *tab) ageBy(milliseconds int) {
	b.t.Helper()
	eval[chromedp.Void](b, fmt.Sprintf(`{ const now = Date.now; Date.now = () => now.call(Date) + %d }`, milliseconds))
}

// toJSON writes texts as the page's JSON.stringify does.
func toJSON(texts []string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(texts) // strings always encode
	return strings.TrimSuffix(b.String(), "\n")
}
