package kv

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// pair runs a store and the model side by side.
type pair struct {
	t        *testing.T
	keys     int // few, so that commands meet; or many, so that tables grow
	rnd      *rand.Rand
	m        *model
	s        *Store
	events   []string
	watchers []Watcher
}

const modelDBs, modelWatchers = 2, 3

func newPair(t *testing.T, seed uint64, keys int) *pair {
	p := &pair{
		t: t, keys: keys, rnd: rand.New(rand.NewPCG(seed, 1)),
		m: newModel(modelDBs, modelWatchers), watchers: make([]Watcher, modelWatchers),
	}
	p.s = newStore(Config{
		Databases: modelDBs,
		MaxString: modelMaxString,
		Now:       func() int64 { return p.m.now },
		Event: func(db int, _ EventClass, event, key string) {
			p.events = append(p.events, fmt.Sprint(db, " ", event, " ", key))
		},
	})
	p.s.SetEventMask(EventAll | EventKeyMiss | EventNew | EventKeyevent)
	return p
}

func same[T comparable](p *pair, what string, got, want T) {
	p.t.Helper()
	if got != want {
		p.t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// settled compares and forgets the events; unordered where deletion order is free.
func (p *pair) settled(what string, unordered bool) {
	p.t.Helper()
	if unordered {
		slices.Sort(p.events)
		slices.Sort(p.m.events)
	}
	if !slices.Equal(p.events, p.m.events) {
		p.t.Fatalf("events of %s: got %q, want %q", what, p.events, p.m.events)
	}
	p.events, p.m.events = p.events[:0], p.m.events[:0]
}

// command runs one random command on both.
func (p *pair) command() {
	db, name := p.rnd.IntN(modelDBs), fmt.Sprint("k", p.rnd.IntN(p.keys))
	key := []byte(name)
	t := p.s.Begin(db, [][]byte{key})
	defer t.End()
	what := ""
	switch n := p.rnd.IntN(16); {
	case n < 5:
		o := p.options()
		value := p.text()
		what = fmt.Sprintf("%d SET %s %+v", p.m.now, key, o)
		r, err := t.Set(db, key, []byte(value), o)
		done, existed, old := p.m.set(db, name, value, o)
		same(p, what, fmt.Sprint(r.Done, r.Existed, string(r.Old), err), fmt.Sprint(done, existed, old, nil))
	case n < 7:
		what = "GET " + name
		got, ok, err := t.Get(db, key)
		text, found := p.m.get(db, name)
		same(p, what, fmt.Sprint(string(got), ok, err), fmt.Sprint(text, found, nil))
	case n < 8:
		what = "DEL " + name
		same(p, what, t.Delete(db, key), p.m.del(db, name))
	case n < 11:
		c := ExpireCondition(p.rnd.IntN(16))
		deadline := p.m.now + p.rnd.Int64N(60) - 10
		what = fmt.Sprint(p.m.now, " PEXPIREAT ", name, " ", deadline, c)
		same(p, what, t.Expire(db, key, deadline, c), p.m.setExpire(db, name, deadline, c))
	case n < 12:
		what = "PERSIST " + name
		same(p, what, t.Persist(db, key), p.m.persist(db, name))
	case n < 13:
		what = "PEXPIRETIME " + name
		same(p, what, t.Deadline(db, key), p.m.deadline(db, name))
	case n < 14:
		what = "TYPE " + name
		_, found := p.m.read(db, name)
		same(p, what, t.Type(db, key) == TypeString, found)
	case n < 15:
		what = "EXISTS " + name
		_, found := p.m.read(db, name)
		same(p, what, t.Exists(db, key), found)
	default:
		i := p.rnd.IntN(modelWatchers)
		t.Watch(&p.watchers[i], db, key)
		p.m.watchKey(i, db, name)
	}
	p.settled(what, false)
}

func (p *pair) options() SetOptions {
	o := SetOptions{Condition: SetCondition(p.rnd.IntN(3)), Get: p.rnd.IntN(3) == 0}
	switch p.rnd.IntN(3) {
	case 0:
		o.KeepTTL = true
	case 1:
		o.Deadline = p.m.now + p.rnd.Int64N(60) - 10
	}
	return o
}

// happening is what happens besides commands on one key.
func (p *pair) happening() {
	switch n := p.rnd.IntN(21); {
	case n == 20:
		p.swap()
	case n < 8:
		p.m.now += p.rnd.Int64N(15)
	case n < 13:
		p.s.sweep()
		p.m.sweep()
		p.settled("sweep", true)
	case n < 18:
		i := p.rnd.IntN(modelWatchers)
		t := p.s.BeginKeys(&p.watchers[i], nil)
		same(p, "dirty", t.Dirty(&p.watchers[i]), p.m.dirty(i))
		t.End()
		if p.rnd.IntN(2) == 0 {
			p.s.Unwatch(&p.watchers[i])
			p.m.unwatch(i)
		}
	case n < 19:
		db := p.rnd.IntN(modelDBs)
		t := p.s.BeginAll()
		t.Flush(db)
		t.End()
		p.m.flush(db)
		p.settled("flush", false)
	default:
		t := p.s.BeginAll()
		for db := range modelDBs {
			same(p, "size", t.Size(db), len(p.m.dbs[db]))
			p.scan(t, db)
			p.each(t, db)
		}
		t.End()
	}
}

func (p *pair) scan(t *Tx, db int) {
	got := map[string]bool{}
	for cursor := uint64(0); ; {
		cursor = t.Scan(db, cursor, 3, func(k []byte, _ Type) { got[string(k)] = true })
		if cursor == 0 {
			break
		}
	}
	live := 0
	for key := range p.m.dbs[db] {
		if _, _, ok := p.m.has(db, key); ok {
			live++
			same(p, "scan has "+key, got[key], true)
		}
	}
	same(p, "scan's keys", len(got), live)
	key, ok := t.RandomKey(db)
	same(p, "random key", ok, live > 0)
	same(p, "random key is live", !ok || got[string(key)], true)
}

func TestStoreBehavesAsTheModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(30) {
		keys := 12
		if seed%5 == 0 {
			keys = 3000
		}
		t.Run(fmt.Sprintf("seed=%d/keys=%d", seed, keys), func(t *testing.T) {
			t.Parallel()
			p := newPair(t, seed, keys)
			for range 3000 {
				if p.rnd.IntN(2) == 0 {
					p.wide()
				} else {
					p.command()
				}
				if p.rnd.IntN(4) == 0 {
					p.happening()
				}
			}
			got := p.s.Stats()
			same(p, "hits", got.Hits, p.m.st.Hits)
			same(p, "misses", got.Misses, p.m.st.Misses)
			same(p, "expired", got.Expired, p.m.st.Expired)
			p.leavesNothing()
		})
	}
}

// leavesNothing empties the store and looks at the account.
func (p *pair) leavesNothing() {
	checkBytes(p.t, p.s)
	t := p.s.BeginAll()
	t.FlushAll()
	t.End()
	same(p, "bytes of the empty store", p.s.Bytes(), 0)
	for i := range p.watchers {
		p.s.Unwatch(&p.watchers[i])
	}
	for i := range p.s.shards {
		same(p, "watched keys left", len(p.s.shards[i].watch), 0)
	}
}

// checkBytes adds up what is there and compares with Store.Bytes.
func checkBytes(t *testing.T, s *Store) {
	t.Helper()
	var want int64
	for i := range s.shards {
		for _, sp := range s.shards[i].spaces {
			if sp == nil {
				continue
			}
			checkTable(t, &sp.keys)
			checkHeap(t, &sp.deadlines)
			want += spaceBytes + sp.keys.bytes + sp.deadlines.bytes
			for _, b := range []*buckets{&sp.keys.cur, &sp.keys.old} {
				for _, segment := range b.segments {
					for _, e := range segment {
						for ; e != nil; e = e.next {
							want += recount(e)
						}
					}
				}
			}
		}
	}
	if got := s.Bytes(); got != want {
		t.Fatalf("bytes: got %d, want %d", got, want)
	}
}
