package kv

import (
	"fmt"
	"strings"
)

// model is the store as simple as it gets, on a clock of its own. It follows
// Redis 7.2's order of events (checked against the real one) except that
// expired keys wait for sweep or a write that replaces them.
type model struct {
	now    int64
	dbs    []map[string]modelValue
	events []string
	st     Stats
	watch  []modelWatcher
}

type modelValue struct {
	text     string
	deadline int64 // 0: none
}

type modelWatcher struct {
	dirty bool
	keys  map[string]bool // "db/key": had expired when watched, and is not deleted yet
}

func newModel(dbs, watchers int) *model {
	m := &model{now: 1000, watch: make([]modelWatcher, watchers)}
	for range dbs {
		m.dbs = append(m.dbs, map[string]modelValue{})
	}
	for i := range m.watch {
		m.watch[i].keys = map[string]bool{}
	}
	return m
}

func (m *model) event(db int, name, key string) {
	m.events = append(m.events, fmt.Sprint(db, " ", name, " ", key))
}

// has says whether the key is stored at all, and whether it is live.
func (m *model) has(db int, key string) (v modelValue, stored, live bool) {
	v, stored = m.dbs[db][key]
	return v, stored, stored && (v.deadline == 0 || v.deadline > m.now)
}

func (m *model) read(db int, key string) (modelValue, bool) {
	v, _, live := m.has(db, key)
	m.count(db, key, live)
	return v, live
}

func (m *model) count(db int, key string, hit bool) {
	if hit {
		m.st.Hits++
		return
	}
	m.st.Misses++
	m.event(db, "keymiss", key)
}

func (m *model) touch(db int, key string, exists bool) {
	name := fmt.Sprint(db, "/", key)
	for i := range m.watch {
		w := &m.watch[i]
		expired, watched := w.keys[name]
		switch {
		case watched && expired && !exists:
			w.keys[name] = false
		case watched:
			w.dirty = true
		}
	}
}

func (m *model) get(db int, key string) (string, bool) {
	v, ok := m.read(db, key)
	if !ok {
		return "", false
	}
	return v.text, true
}

func (m *model) set(db int, key, value string, o SetOptions) (done, existed bool, old string) {
	v, stored, live := m.has(db, key)
	done = o.Condition == SetAlways || o.Condition == SetNX && !live || o.Condition == SetXX && live
	if done && stored && !live {
		m.expire(db, key)
	}
	if o.Get {
		m.count(db, key, live)
		if live {
			old = v.text
		}
	}
	if !done {
		return false, live, old
	}
	next := modelValue{text: value, deadline: o.Deadline}
	if o.KeepTTL && live && o.Deadline == 0 {
		next.deadline = v.deadline
	}
	m.dbs[db][key] = next
	if !live {
		m.event(db, "new", key)
	}
	m.touch(db, key, true)
	m.event(db, "set", key)
	if o.Deadline != 0 {
		m.event(db, "expire", key)
	}
	return true, live, old
}

func (m *model) expire(db int, key string) {
	delete(m.dbs[db], key)
	m.touch(db, key, false)
	m.event(db, "expired", key)
	m.st.Expired++
}

func (m *model) del(db int, key string) bool {
	if _, _, live := m.has(db, key); !live {
		return false
	}
	delete(m.dbs[db], key)
	m.touch(db, key, false)
	m.event(db, "del", key)
	return true
}

func (m *model) setExpire(db int, key string, deadline int64, c ExpireCondition) bool {
	v, _, live := m.has(db, key)
	forever := v.deadline == 0
	switch {
	case !live,
		c&ExpireNX != 0 && !forever,
		c&ExpireXX != 0 && forever,
		c&ExpireGT != 0 && (forever || deadline <= v.deadline),
		c&ExpireLT != 0 && !forever && deadline >= v.deadline:
		return false
	case deadline <= m.now:
		return m.del(db, key)
	}
	v.deadline = deadline
	m.dbs[db][key] = v
	m.touch(db, key, true)
	m.event(db, "expire", key)
	return true
}

func (m *model) deadline(db int, key string) int64 {
	v, ok := m.read(db, key)
	switch {
	case !ok:
		return TTLNoKey
	case v.deadline == 0:
		return TTLNoDeadline
	}
	return v.deadline
}

func (m *model) persist(db int, key string) bool {
	v, _, live := m.has(db, key)
	if !live || v.deadline == 0 {
		return false
	}
	v.deadline = 0
	m.dbs[db][key] = v
	m.touch(db, key, true)
	m.event(db, "persist", key)
	return true
}

func (m *model) flush(db int) {
	for key := range m.dbs[db] {
		m.touch(db, key, false)
	}
	clear(m.dbs[db])
}

func (m *model) sweep() {
	for db, keys := range m.dbs {
		for key := range keys {
			if _, _, live := m.has(db, key); !live {
				m.expire(db, key)
			}
		}
	}
}

func (m *model) watchKey(i, db int, key string) {
	name := fmt.Sprint(db, "/", key)
	if _, ok := m.watch[i].keys[name]; !ok {
		_, stored, live := m.has(db, key)
		m.watch[i].keys[name] = stored && !live
	}
}

// dirty is what EXEC asks.
func (m *model) dirty(i int) bool {
	w := &m.watch[i]
	for name, expired := range w.keys {
		var db int
		var key string
		if _, err := fmt.Sscanf(strings.Replace(name, "/", " ", 1), "%d %s", &db, &key); err != nil {
			panic(err)
		}
		if _, stored, live := m.has(db, key); stored && !live && !expired {
			return true
		}
	}
	return w.dirty
}

func (m *model) unwatch(i int) { m.watch[i] = modelWatcher{keys: map[string]bool{}} }
