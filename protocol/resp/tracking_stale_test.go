package resp

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/conversation"
)

const (
	staleKeys   = 6
	staleRounds = 12
	staleSteps  = 60
)

// cache is a client that keeps what it reads until it is told that it has changed.
type cache struct {
	*peer
	mode   string // as CLIENT TRACKING has it
	values map[string]string
	rand   *rand.Rand
}

func newCache(n *node, mode string, seed uint64) *cache {
	c := &cache{peer: n.dial(), mode: mode, values: map[string]string{}, rand: rand.New(rand.NewPCG(seed, 1))} // #nosec G404
	c.send("HELLO 3").read()
	c.send("CLIENT TRACKING ON " + mode).want("+OK")
	return c
}

func (c *cache) key() string { return "k" + strconv.Itoa(c.rand.IntN(staleKeys)) }

// next reads up to the next reply and obeys what it is told before that.
func (c *cache) next() conversation.Value {
	for {
		v, err := conversation.ReadValue(c.in)
		switch {
		case err != nil:
			c.t.Errorf("a client that keeps values: %v", err)
			return v
		case v.Kind != '>':
			return v
		case v.Elems[1].Kind == '_':
			clear(c.values)
		default:
			for _, key := range v.Elems[1].Elems {
				delete(c.values, key.Text)
			}
		}
	}
}

// step reads some keys in one packet, in a transaction perhaps, and keeps the values.
// Sometimes it writes one itself.
func (c *cache) step() {
	if c.rand.IntN(6) == 0 {
		key := c.key()
		c.send("SET " + key + " own" + strconv.Itoa(c.rand.IntN(1e6)))
		c.next()
		delete(c.values, key)
		return
	}
	keys := make([]string, 1+c.rand.IntN(5))
	var lines []string
	for i := range keys {
		keys[i] = c.key()
		lines = append(lines, "GET "+keys[i])
	}
	multi, optin := c.rand.IntN(3) == 0, c.mode == "OPTIN"
	switch {
	case multi:
		lines = append(append([]string{"MULTI"}, lines...), "EXEC")
	case optin:
		lines, keys = lines[:1], keys[:1]
	}
	if optin {
		lines = append([]string{"CLIENT CACHING YES"}, lines...)
	}
	c.send(strings.Join(lines, "|"))
	for range len(lines) - len(keys) - 1 {
		c.next()
	}
	if !multi && !optin {
		c.keep(keys[0], c.next())
		keys = keys[1:]
	}
	if multi {
		for range keys {
			c.next() // QUEUED
		}
		reply := c.next()
		for i, key := range keys {
			c.keep(key, reply.Elems[i])
		}
		return
	}
	if optin {
		c.next()
	}
	for _, key := range keys {
		c.keep(key, c.next())
	}
}

func (c *cache) keep(key string, v conversation.Value) { c.values[key] = v.String() }

// overwrite changes keys in every way there is.
func overwrite(p *peer, r *rand.Rand) {
	key := func() string { return "k" + strconv.Itoa(r.IntN(staleKeys)) }
	value := strconv.Itoa(r.IntN(1e9))
	switch r.IntN(12) {
	case 0:
		p.send("DEL " + key() + " " + key()).read()
	case 1:
		p.send("RENAME " + key() + " " + key()).read()
	case 2:
		p.send("SET " + key() + " " + value + " PX " + strconv.Itoa(1+r.IntN(3))).read()
	case 3:
		p.send("PEXPIRE " + key() + " " + strconv.Itoa(r.IntN(3))).read()
	case 4:
		p.send("MULTI|SET "+key()+" "+value+"|INCR "+key()+"|DEL "+key()+"|EXEC").want("+OK", "+QUEUED", "+QUEUED", "+QUEUED")
		p.read()
	case 5:
		p.send("COPY " + key() + " " + key() + " REPLACE").read()
	case 6:
		if r.IntN(8) == 0 {
			p.send([]string{"FLUSHALL", "FLUSHDB", "SWAPDB 0 1"}[r.IntN(3)]).read()
		}
	case 7:
		p.send("MSET " + key() + " " + value + " " + key() + " x" + value).want("+OK")
	default:
		p.send("SET " + key() + " " + value).want("+OK")
	}
}

// settled waits until every key that is to expire has been deleted.
func settled(p *peer) {
	for {
		p.send("DBSIZE")
		size, live := p.read(), 0
		for i := range staleKeys {
			switch p.send("PTTL k" + strconv.Itoa(i)).read() {
			case ":-1":
				live++
			case ":-2":
			default:
				live = -1 << 20
			}
		}
		if size == ":"+strconv.Itoa(live) {
			return
		}
	}
}

// Whatever writers do, once they have their replies nobody who tracks keeps a value
// that is not the stored one, in any mode.
func TestNoStaleValueIsEverLeft(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano()) // #nosec G115
	t.Logf("seed %d", seed)
	n := start(t, nil)
	modes := []string{"", "NOLOOP", "OPTIN", "OPTOUT", "BCAST", "BCAST PREFIX k0 PREFIX k1 PREFIX k2 PREFIX k3 PREFIX k4 PREFIX k5 NOLOOP"}
	var caches []*cache
	for i, mode := range modes {
		caches = append(caches, newCache(n, mode, seed+uint64(i))) // #nosec G115
	}
	onlooker := n.dial()
	var writers []*peer
	for range 3 {
		writers = append(writers, n.dial())
	}
	hits := 0
	for round := range staleRounds {
		var group sync.WaitGroup
		for i, w := range writers {
			r := rand.New(rand.NewPCG(seed, uint64(100*round+i))) // #nosec G115 G404
			group.Go(func() {
				for range staleSteps {
					overwrite(w, r)
				}
			})
		}
		for _, c := range caches {
			group.Go(func() {
				for range staleSteps {
					c.step()
				}
			})
		}
		group.Wait()
		settled(onlooker)
		hits += compareCaches(t, caches, onlooker, fmt.Sprintf("round %d, seed %d", round, seed))
	}
	if hits == 0 {
		t.Error("no value was ever kept: the test shows nothing")
	}
}

// compareCaches reads what the caches have been told, and compares what they have with
// what is stored. It returns how many values they have.
func compareCaches(t *testing.T, caches []*cache, onlooker *peer, when string) (hits int) {
	t.Helper()
	stored := map[string]string{}
	for i := range staleKeys {
		key := "k" + strconv.Itoa(i)
		stored[key] = onlooker.send("GET " + key).read()
	}
	for _, c := range caches {
		c.send("PING")
		c.next()
		for key, got := range c.values {
			want := stored[key]
			if got == "nil" || want == "nil[]" { // the null of RESP3 and of RESP2
				got, want = strings.TrimSuffix(got, "[]"), strings.TrimSuffix(want, "[]")
			}
			if hits++; got != want {
				t.Fatalf("%s: the client with %q has %s = %s, stored is %s", when, c.mode, key, got, want)
			}
		}
	}
	return hits
}
