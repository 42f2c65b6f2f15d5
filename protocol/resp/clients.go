package resp

import (
	"cmp"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/broker"
)

// registry knows every connection, for CLIENT LIST and CLIENT KILL.
type registry struct {
	mu       sync.Mutex
	byNumber map[int64]*conn
	admitted int // connections, those included that are just being made
}

// reserve takes a place for a connection unless limit places are taken.
func (r *registry) reserve(limit int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.admitted >= limit {
		return false
	}
	r.admitted++
	return true
}

func (r *registry) unreserve() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.admitted--
}

func (r *registry) add(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byNumber[c.session.Number()] = c
}

func (r *registry) remove(c *conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byNumber, c.session.Number())
}

// find returns the connection of a number; nil: there is none.
func (r *registry) find(number int64) *conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byNumber[number]
}

func (r *registry) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.byNumber)
}

// all returns the connections by their numbers.
func (r *registry) all() []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*conn, 0, len(r.byNumber))
	for _, c := range r.byNumber {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *conn) int { return cmp.Compare(a.session.Number(), b.session.Number()) })
	return list
}

func (r *registry) each(f func(*conn)) {
	for _, c := range r.all() {
		f(c)
	}
}

// info is what other connections may see of one. The reader writes it.
type info struct {
	// set at construction
	remote, local string
	unix          bool

	last    atomic.Pointer[command] // nil: no command yet
	active  atomic.Int64            // when input last came, Unix milliseconds
	db      atomic.Int64
	multi   atomic.Int64 // commands queued; -1: no transaction
	proto   atomic.Int64
	held    [3]atomic.Int64 // subscriptions by broker.Kind
	noEvict atomic.Bool
	noTouch atomic.Bool
	monitor atomic.Bool
	paused  atomic.Bool // waits for the end of CLIENT PAUSE

	tracking atomic.Pointer[tracker] // nil: it never tracked

	mu    sync.Mutex
	names clientNames // guarded by mu
}

// clientNames is what a client calls itself.
type clientNames struct{ name, library, version string }

func (i *info) init(socket net.Conn, since time.Time) {
	i.active.Store(since.UnixMilli())
	i.multi.Store(-1)
	i.proto.Store(proto2)
	i.unix = socket.LocalAddr().Network() == "unix"
	i.local, i.remote = socket.LocalAddr().String(), socket.RemoteAddr().String()
	if i.unix { // the peer's end has no name; Redis shows the socket's for both
		i.local += ":0"
		i.remote = i.local
	}
}

func (i *info) command() string {
	if cmd := i.last.Load(); cmd != nil {
		return cmd.full
	}
	return "NULL"
}

func (i *info) read() clientNames {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.names
}

func (i *info) write(change func(*clientNames)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(&i.names)
}

func (i *info) subscribed() bool {
	return i.held[broker.KindChannel].Load()+i.held[broker.KindPattern].Load()+i.held[broker.KindShard].Load() > 0
}

// flags returns the letters of CLIENT LIST.
func (c *conn) flags() string {
	i := &c.info
	var b strings.Builder
	t, o := i.tracked()
	for _, f := range []struct {
		set    bool
		letter byte
	}{
		{i.monitor.Load(), 'O'},
		{i.subscribed(), 'P'},
		{i.multi.Load() >= 0, 'x'},
		{i.paused.Load() || c.waiter.Load() != nil, 'b'},
		{o != nil, 't'},
		{o != nil && t.broken.Load(), 'R'},
		{o != nil && o.bcast, 'B'},
		{i.unix, 'U'},
		{i.noEvict.Load(), 'e'},
		{i.noTouch.Load(), 'T'},
	} {
		if f.set {
			b.WriteByte(f.letter)
		}
	}
	if b.Len() == 0 {
		return "N"
	}
	return b.String()
}

// describe returns the connection's line of CLIENT LIST. Fields that say
// something about Redis' own memory and descriptors are there because clients
// expect them, with the values of a connection that has none.
func (c *conn) describe(now time.Time) string {
	i := &c.info
	names := i.read()
	idle := max(0, now.UnixMilli()-i.active.Load()) / 1000
	pushes, replies := c.queue.Queued()
	return fmt.Sprintf("id=%d addr=%s laddr=%s fd=-1 name=%s age=%d idle=%d flags=%s db=%d "+
		"sub=%d psub=%d ssub=%d multi=%d qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 "+
		"obl=0 oll=0 omem=%d tot-mem=%d events=r cmd=%s user=default redir=%d resp=%d lib-name=%s lib-ver=%s\n",
		c.session.Number(), i.remote, i.local, names.name, int64(now.Sub(c.since).Seconds()), idle, c.flags(), i.db.Load(),
		i.held[broker.KindChannel].Load(), i.held[broker.KindPattern].Load(), i.held[broker.KindShard].Load(),
		i.multi.Load(), pushes+replies, pushes+replies, i.command(), i.redirect(), i.proto.Load(), names.library, names.version)
}

// subscribed says whether the connection has any subscription.
func (c *conn) subscribed() bool { return c.info.subscribed() }

// class returns the type of a client as CLIENT LIST TYPE and KILL TYPE know it.
func (i *info) class() string {
	if i.subscribed() {
		return "pubsub"
	}
	return "normal"
}
