package kv

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// errInexact is what the model says when it cannot tell.
var errInexact = errors.New("not exact in a float64")

// modelMaxString is so small that the limit is met.
const modelMaxString = 150

func (p *pair) name() string { return fmt.Sprint("k", p.rnd.IntN(p.keys)) }

// wide runs one random command of those that change strings or several keys.
func (p *pair) wide() {
	db, other := p.rnd.IntN(modelDBs), p.rnd.IntN(modelDBs)
	a, b := p.name(), p.name()
	t := p.s.BeginKeys(nil, []Key{{db, []byte(a)}, {other, []byte(b)}})
	defer t.End()
	var what string
	switch p.rnd.IntN(5) {
	case 0, 1:
		what = p.count(t, db, a)
	case 2:
		what = p.edit(t, db, a)
	case 3:
		what = p.several(t, db, []string{a, p.text(), b, p.text()})
	default:
		what = p.carry(t, db, other, a, b)
	}
	p.settled(what, false)
}

func (p *pair) text() string {
	if p.rnd.IntN(2) == 0 {
		return fmt.Sprint(p.rnd.IntN(2000) - 1000)
	}
	return strings.Repeat("v", p.rnd.IntN(70))
}

func (p *pair) count(t *Tx, db int, name string) string {
	delta := p.rnd.Int64N(100) - 50
	if p.rnd.IntN(20) == 0 {
		delta = math.MaxInt64 - p.rnd.Int64N(100)
	}
	if p.rnd.IntN(2) == 0 {
		what := fmt.Sprint("INCRBY ", name, " ", delta)
		got, err := t.IncrBy(db, []byte(name), delta)
		want, wantErr := p.m.incrBy(db, name, delta)
		same(p, what, fmt.Sprint(got, err), fmt.Sprint(want, wantErr))
		return what
	}
	quarters := p.rnd.IntN(100) - 50
	what := fmt.Sprint("INCRBYFLOAT ", name, " ", quarters, "/4")
	want, wantErr := p.m.incrByQuarter(db, name, quarters)
	if errors.Is(wantErr, errInexact) {
		return what
	}
	got, err := t.IncrByFloat(db, []byte(name), fmt.Append(nil, float64(quarters)/4))
	same(p, what, fmt.Sprint(string(got), err), fmt.Sprint(want, wantErr))
	return what
}

func (p *pair) edit(t *Tx, db int, name string) string {
	key, part := []byte(name), p.text()
	var what, got, want string
	if p.rnd.IntN(2) == 0 {
		what = fmt.Sprint("APPEND ", name, " ", part)
		n, err := t.Append(db, key, []byte(part))
		m, wantErr := p.m.appendTo(db, name, part, modelMaxString)
		got, want = fmt.Sprint(n, err), fmt.Sprint(m, wantErr)
	} else {
		offset := p.rnd.IntN(100)
		what = fmt.Sprint("SETRANGE ", name, " ", offset, " ", part)
		n, err := t.SetRange(db, key, int64(offset), []byte(part))
		m, wantErr := p.m.setRange(db, name, offset, part, modelMaxString)
		got, want = fmt.Sprint(n, err), fmt.Sprint(m, wantErr)
	}
	same(p, what, got, want)
	return what
}

func (p *pair) several(t *Tx, db int, pairs []string) string {
	what := fmt.Sprintf("MSET %q", pairs)
	args := keysOf(pairs...)
	if p.rnd.IntN(2) == 0 {
		same(p, what, t.MSet(db, args), nil)
		p.m.mset(db, pairs)
		return what
	}
	got, err := t.MSetNX(db, args)
	same(p, what+" NX", fmt.Sprint(got, err), fmt.Sprint(p.m.msetNX(db, pairs), nil))
	return what
}

// carry runs a command that brings a value to another place.
func (p *pair) carry(t *Tx, db, other int, a, b string) string {
	flag := p.rnd.IntN(2) == 0
	what := fmt.Sprint(p.m.now, " ", db, " ", a, " to ", other, " ", b, flag)
	switch n := p.rnd.IntN(3); {
	case n == 0:
		what = "RENAME " + what
		got, err := t.Rename(db, []byte(a), []byte(b), flag)
		want, wantErr := p.m.rename(db, a, b, flag)
		same(p, what, fmt.Sprint(got, err), fmt.Sprint(want, wantErr))
	case n == 1:
		what = "MOVE " + what
		same(p, what, t.Move(db, other, []byte(a)), p.m.move(db, other, a))
	case db != other || a != b:
		what = "COPY " + what
		got, err := t.Copy(Key{db, []byte(a)}, Key{other, []byte(b)}, flag)
		same(p, what, fmt.Sprint(got, err), fmt.Sprint(p.m.copy(db, a, other, b, flag), nil))
	}
	return what
}

func (p *pair) swap() {
	t := p.s.BeginAll()
	defer t.End()
	t.SwapDatabases(0, 1)
	p.m.swap(0, 1)
	p.settled("swap", false)
}

// each compares all keys and values of a database.
func (p *pair) each(t *Tx, db int) {
	live := 0
	t.Each(db, func(key []byte, _ Type) {
		live++
		v, _, ok := p.m.has(db, string(key))
		at := t.find(db, key)
		same(p, "each finds "+string(key), ok, true)
		same(p, "value of "+string(key), string(at.e.value()), v.text)
		same(p, "deadline of "+string(key), at.sp.deadlines.at(at.e), v.deadline)
	})
	for key := range p.m.dbs[db] {
		if _, _, ok := p.m.has(db, key); ok {
			live--
		}
	}
	same(p, "keys that each left out", live, 0)
}
