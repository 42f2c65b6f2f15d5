package kv

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The commands that change strings and move keys, as simple as they get.

// write stores text under a key and leaves its deadline alone.
func (m *model) write(db int, key, text, event string) {
	v, stored, live := m.has(db, key)
	if !live {
		if stored {
			m.expire(db, key)
		}
		v = modelValue{}
		m.event(db, "new", key)
	}
	v.text = text
	m.dbs[db][key] = v
	m.touch(db, key, true)
	m.event(db, event, key)
}

func (m *model) text(db int, key string) string {
	v, _, live := m.has(db, key)
	if !live {
		return ""
	}
	return v.text
}

func (m *model) incrBy(db int, key string, delta int64) (int64, error) {
	var n int64
	if _, _, live := m.has(db, key); live {
		var err error
		text := m.text(db, key)
		if n, err = strconv.ParseInt(text, 10, 64); err != nil || strconv.FormatInt(n, 10) != text {
			return 0, ErrNotInteger
		}
	}
	if sum := n + delta; delta > 0 && sum < n || delta < 0 && sum > n {
		return 0, ErrOverflow
	}
	m.write(db, key, strconv.FormatInt(n+delta, 10), "incrby")
	return n + delta, nil
}

// incrByQuarter is INCRBYFLOAT for numbers that a float64 holds exactly: quarters.
func (m *model) incrByQuarter(db int, key string, quarters int) (string, error) {
	n := 0.0
	if _, _, live := m.has(db, key); live {
		var err error
		if n, err = strconv.ParseFloat(m.text(db, key), 64); err != nil {
			return "", ErrNotFloat
		}
	}
	if n *= 4; n != math.Trunc(n) || math.Abs(n) > 1e15 {
		return "", errInexact
	}
	n = (n + float64(quarters)) / 4
	text := strconv.FormatFloat(n, 'f', -1, 64)
	m.write(db, key, text, "incrbyfloat")
	return text, nil
}

func (m *model) appendTo(db int, key, tail string, limit int) (int, error) {
	old := m.text(db, key)
	if _, _, live := m.has(db, key); live && len(old)+len(tail) > limit {
		return 0, ErrStringTooLong
	}
	m.write(db, key, old+tail, "append")
	return len(old) + len(tail), nil
}

func (m *model) setRange(db int, key string, offset int, part string, limit int) (int, error) {
	old := m.text(db, key)
	switch {
	case part == "":
		return len(old), nil
	case offset+len(part) > limit:
		return 0, ErrStringTooLong
	}
	if pad := offset + len(part) - len(old); pad > 0 {
		old += strings.Repeat("\x00", pad)
	}
	text := old[:offset] + part + old[offset+len(part):]
	m.write(db, key, text, "setrange")
	return len(text), nil
}

func (m *model) mset(db int, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		m.set(db, pairs[i], pairs[i+1], SetOptions{})
	}
}

func (m *model) msetNX(db int, pairs []string) bool {
	for i := 0; i < len(pairs); i += 2 {
		if _, _, live := m.has(db, pairs[i]); live {
			return false
		}
	}
	m.mset(db, pairs)
	return true
}

// place stores a value under a key whose own value, if any, is lost.
func (m *model) place(db int, key string, v modelValue) {
	if _, stored, live := m.has(db, key); stored && !live {
		m.expire(db, key)
	}
	m.dbs[db][key] = v
	m.event(db, "new", key)
}

func (m *model) rename(db int, from, to string, onlyNew bool) (bool, error) {
	v, _, live := m.has(db, from)
	_, _, taken := m.has(db, to)
	switch {
	case !live:
		return false, ErrNoKey
	case from == to:
		return !onlyNew, nil
	case onlyNew && taken:
		return false, nil
	}
	m.place(db, to, v)
	delete(m.dbs[db], from)
	m.touch(db, from, false)
	m.touch(db, to, true)
	m.event(db, "rename_from", from)
	m.event(db, "rename_to", to)
	return true, nil
}

func (m *model) move(from, to int, key string) bool {
	v, _, live := m.has(from, key)
	if _, _, taken := m.has(to, key); from == to || !live || taken {
		return false
	}
	m.place(to, key, v)
	delete(m.dbs[from], key)
	m.touch(from, key, false)
	m.touch(to, key, true)
	m.event(from, "move_from", key)
	m.event(to, "move_to", key)
	return true
}

func (m *model) copy(from int, key string, to int, other string, replace bool) bool {
	v, live := m.read(from, key)
	if _, _, taken := m.has(to, other); !live || taken && !replace {
		return false
	}
	m.place(to, other, v)
	m.touch(to, other, true)
	m.event(to, "copy_to", other)
	return true
}

// swap follows Redis' touchAllWatchedKeysInDb.
func (m *model) swap(a, b int) {
	for i := range m.watch {
		w := &m.watch[i]
		for name, expired := range w.keys {
			var db int
			var key string
			if _, err := fmt.Sscanf(strings.Replace(name, "/", " ", 1), "%d %s", &db, &key); err != nil {
				panic(err)
			}
			_, stored, _ := m.has(db, key)
			_, next, live := m.has(a+b-db, key)
			switch {
			case !stored && !next:
			case live || stored && !expired:
				w.dirty = true
			default: // it had expired or was not there, and has expired or is not there
				w.keys[name] = next
			}
		}
	}
	m.dbs[a], m.dbs[b] = m.dbs[b], m.dbs[a]
}
