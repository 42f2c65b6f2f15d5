package kv

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// recountList is what a list takes if every part of it is looked at.
func recountList(o object) int64 {
	l := o.(*list)
	n := listBytes
	if len(l.nodes.ring) > 1 {
		n += allocatedPointers(len(l.nodes.ring) * placeBytes)
	}
	for i := range l.nodes.n {
		n += allocated(len(l.nodes.at(i).whole()))
	}
	return n
}

// checkNodes says what is wrong with the nodes of a list.
func checkNodes(l *list, c *Compact) error {
	count := 0
	for i := range l.nodes.n {
		p := l.nodes.at(i)
		count += p.n
		if q, ok := unpack(bytes.Clone(p.data)); !ok || q.n != p.n || p.n == 0 {
			return fmt.Errorf("node %d has %d elements, %d by its count", i, q.n, p.n)
		}
		if p.n > 1 && !c.room(p.n, len(p.data)) {
			return fmt.Errorf("node %d has %d elements in %d bytes", i, p.n, len(p.data))
		}
	}
	if count != l.count {
		return fmt.Errorf("%d elements, %d by its count", count, l.count)
	}
	return nil
}

// listModel does to a slice what the methods of Tx do to a list.
type listModel struct {
	r    *rand.Rand
	list [][]byte
}

func (m *listModel) item() []byte {
	n := m.r.IntN(6)
	if m.r.IntN(60) == 0 {
		n = m.r.IntN(5000)
	}
	return bytes.Repeat([]byte{byte('a' + m.r.IntN(4))}, n)
}

// text is elements as they are compared.
func text(items ...[]byte) string { return string(bytes.Join(items, []byte{','})) }

func (m *listModel) index() int64 { return int64(m.r.IntN(2*len(m.list)+3) - len(m.list) - 1) }

func (m *listModel) push(end End, items [][]byte) {
	for _, item := range items {
		if end == Left {
			m.list = slices.Insert(m.list, 0, item)
		} else {
			m.list = append(m.list, item)
		}
	}
}

func (m *listModel) pop(end End, n int) (items [][]byte) {
	for range min(n, len(m.list)) {
		if end == Left {
			items, m.list = append(items, m.list[0]), m.list[1:]
		} else {
			last := len(m.list) - 1
			items, m.list = append(items, m.list[last]), m.list[:last]
		}
	}
	return items
}

// part is what LRANGE and LTRIM mean by two indexes.
func (m *listModel) part(start, stop int64) [][]byte {
	n := int64(len(m.list))
	if start < 0 {
		start += n
	}
	if stop < 0 {
		stop += n
	}
	var items [][]byte
	for i, item := range m.list {
		if start <= int64(i) && int64(i) <= stop {
			items = append(items, item)
		}
	}
	return items
}

func (m *listModel) remove(count int64, item []byte) (removed int) {
	list := slices.Clone(m.list)
	if count < 0 {
		slices.Reverse(list)
	}
	kept := list[:0]
	for _, other := range list {
		if bytes.Equal(other, item) && (count == 0 || int64(removed) < max(count, -count)) {
			removed++
			continue
		}
		kept = append(kept, other)
	}
	if count < 0 {
		slices.Reverse(kept)
	}
	m.list = kept
	return removed
}

func (m *listModel) positions(item []byte, o PosOptions) (found []int) {
	matches, seen := int64(0), int64(0)
	for i := range m.list {
		if o.Rank < 0 {
			i = len(m.list) - 1 - i
		}
		if seen++; o.Most > 0 && seen > o.Most {
			break
		}
		if !bytes.Equal(m.list[i], item) {
			continue
		}
		if matches++; matches >= max(o.Rank, -o.Rank) {
			if found = append(found, i); int64(len(found)) == o.Count {
				break
			}
		}
	}
	return found
}

var listSizes = []int{-2, -1, -5, 1, 3, 100, 0, -9}

// Random commands leave a list with what a slice has, whatever the nodes hold.
func TestAListIsASlice(t *testing.T) {
	t.Parallel()
	for _, size := range listSizes {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			compact := DefaultCompact
			compact.ListSize = size
			s := newStore(Config{Compact: compact})
			tx := s.BeginAll()
			defer tx.End()
			m := &listModel{r: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // a test's stream
			for step := range 2000 {
				grow := step/500%2 == 0
				if got, want := m.step(tx, grow); got != want {
					t.Fatalf("step %d: got %s, want %s", step, got, want)
				}
				m.check(t, tx, step)
			}
			checkBytes(t, s)
		})
	}
}

func (m *listModel) check(t *testing.T, tx *Tx, step int) {
	t.Helper()
	e := tx.find(0, []byte("k")).e
	if e == nil {
		if len(m.list) > 0 {
			t.Fatalf("step %d: got no key, want %q", step, m.list)
		}
		return
	}
	l := e.object().(*list)
	if err := checkNodes(l, tx.s.compact.Load()); err != nil {
		t.Fatalf("step %d: %v", step, err)
	}
	if step%25 == 0 {
		if got, want := text(m.all(tx)...), text(m.list...); got != want {
			t.Fatalf("step %d: got %s, want %s", step, got, want)
		}
		back, err := decodeObject(TypeList, encoded(l), tx.s.compact.Load())
		if err != nil || string(encoded(back)) != string(encoded(l)) || string(encoded(l.clone())) != string(encoded(l)) {
			t.Fatalf("step %d: not what was exported: %v", step, err)
		}
		if recountList(l) != l.bytes() || recountList(l.clone()) != l.clone().bytes() {
			t.Fatalf("step %d: got %d bytes, want %d", step, l.bytes(), recountList(l))
		}
	}
}

func (m *listModel) all(tx *Tx) (items [][]byte) {
	e, _ := tx.LRange(0, []byte("k"), 0, -1)
	e.Each(func(item []byte) bool {
		items = append(items, bytes.Clone(item))
		return true
	})
	return items
}

// step does the same to both and returns what each says.
func (m *listModel) step(tx *Tx, grow bool) (got, want string) {
	key, end := []byte("k"), End(m.r.IntN(2) == 1)
	op := m.r.IntN(12)
	if grow && m.r.IntN(2) == 0 {
		op = 0
	}
	switch op {
	case 0:
		items := [][]byte{m.item(), m.item(), m.item()}
		n, err := tx.Push(0, key, end, items, false)
		m.push(end, items)
		return fmt.Sprint(n, err), fmt.Sprint(len(m.list), nil)
	case 1, 2:
		n := 1 + m.r.IntN(4)
		if m.r.IntN(30) == 0 {
			n = 300
		}
		existed := len(m.list) > 0
		items, ok, err := tx.Pop(0, key, end, int64(n))
		return fmt.Sprint(text(items...), ok, err), fmt.Sprint(text(m.pop(end, n)...), existed, nil)
	case 3:
		i, item := m.index(), m.item()
		return fmt.Sprint(tx.LSet(0, key, i, item)), fmt.Sprint(m.set(i, item))
	case 4:
		pivot, item, after := m.item(), m.item(), m.r.IntN(2) == 0
		n, err := tx.LInsert(0, key, pivot, item, after)
		return fmt.Sprint(n, err), fmt.Sprint(m.insert(pivot, item, after), nil)
	case 5:
		count, item := int64(m.r.IntN(7)-3), m.item()
		n, err := tx.LRem(0, key, count, item)
		return fmt.Sprint(n, err), fmt.Sprint(m.remove(count, item), nil)
	case 6:
		start, stop := int64(m.r.IntN(3)), int64(-1-m.r.IntN(3))
		if m.r.IntN(20) == 0 {
			start, stop = m.index(), m.index()
		}
		err := tx.LTrim(0, key, start, stop)
		m.list = m.part(start, stop)
		return fmt.Sprint(err), fmt.Sprint(nil)
	case 7:
		to := End(m.r.IntN(2) == 1)
		item, ok, err := tx.LMove(0, key, end, key, to)
		items := m.pop(end, 1)
		m.push(to, items)
		return fmt.Sprint(text(item), ok, err), fmt.Sprint(text(items...), len(items) > 0, nil)
	}
	return m.look(tx, key)
}

// look asks both the same.
func (m *listModel) look(tx *Tx, key []byte) (got, want string) {
	switch m.r.IntN(3) {
	case 0:
		i := m.index()
		item, ok, err := tx.LIndex(0, key, i)
		return fmt.Sprint(text(item), ok, err), fmt.Sprint(text(m.at(i)), m.at(i) != nil, nil)
	case 1:
		o := PosOptions{Rank: int64(m.r.IntN(7) - 3), Count: int64(m.r.IntN(4)), Most: int64(m.r.IntN(3) * 10)}
		if o.Rank == 0 {
			o.Rank = 1
		}
		item := m.item()
		var found []int
		err := tx.LPos(0, key, item, o, func(i int) { found = append(found, i) })
		return fmt.Sprint(found, err), fmt.Sprint(m.positions(item, o), nil)
	}
	start, stop := m.index(), m.index()
	e, err := tx.LRange(0, key, start, stop)
	var items [][]byte
	e.Each(func(item []byte) bool {
		items = append(items, bytes.Clone(item))
		return true
	})
	return fmt.Sprint(text(items...), e.Len(), err), fmt.Sprint(text(m.part(start, stop)...), len(m.part(start, stop)), nil)
}

func (m *listModel) at(i int64) []byte {
	if i < 0 {
		i += int64(len(m.list))
	}
	if i < 0 || i >= int64(len(m.list)) {
		return nil
	}
	return m.list[i]
}

func (m *listModel) set(i int64, item []byte) error {
	if len(m.list) == 0 {
		return ErrNoKey
	}
	if m.at(i) == nil {
		return ErrIndex
	}
	if i < 0 {
		i += int64(len(m.list))
	}
	m.list[i] = item
	return nil
}

func (m *listModel) insert(pivot, item []byte, after bool) int {
	i := slices.IndexFunc(m.list, func(other []byte) bool { return bytes.Equal(other, pivot) })
	switch {
	case len(m.list) == 0:
		return 0
	case i < 0:
		return -1
	case after:
		i++
	}
	m.list = slices.Insert(m.list, i, item)
	return len(m.list)
}

var listRefusals = []struct {
	name string
	want error
	run  func(t *Tx, key []byte) error
}{
	{"push", ErrWrongType, func(t *Tx, key []byte) error {
		_, err := t.Push(0, key, Left, [][]byte{make([]byte, 9000)}, false)
		return err
	}},
	{"pushx", ErrWrongType, func(t *Tx, key []byte) error {
		_, err := t.Push(0, key, Left, [][]byte{make([]byte, 9000)}, true)
		return err
	}},
	{"set", ErrWrongType, func(t *Tx, key []byte) error { return t.LSet(0, key, 1, make([]byte, 9000)) }},
	{"insert", ErrWrongType, func(t *Tx, key []byte) error {
		_, err := t.LInsert(0, key, []byte("b"), make([]byte, 9000), true)
		return err
	}},
	{"move from", ErrWrongType, func(t *Tx, key []byte) error {
		_, _, err := t.LMove(0, key, Left, []byte("other"), Left)
		return err
	}},
	{"move to", ErrWrongType, func(t *Tx, key []byte) error {
		_, _, err := t.LMove(0, []byte("l"), Left, key, Left)
		return err
	}},
}

func TestRefusedListWritesChangeNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range listRefusals {
		for _, full := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, full), func(t *testing.T) {
				t.Parallel()
				events := 0
				s := newStore(Config{Event: func(int, EventClass, string, string) { events++ }})
				tx := s.BeginAll()
				defer tx.End()
				key, want := []byte("s"), tt.want
				set(tx, 0, "s", "text")
				large := bytes.Repeat([]byte("x"), 8000)
				for _, k := range []string{"l", "k"} {
					if _, err := tx.Push(0, []byte(k), Right, [][]byte{large, []byte("b"), large, large}, false); err != nil {
						t.Fatal(err)
					}
				}
				if full {
					key, want = []byte("k"), ErrOOM
					s.SetMaxMemory(s.Bytes() - 1)
				}
				s.SetEventMask(EventAll | EventNew | EventKeyevent)
				before, size := dump(tx), s.Bytes()
				if err := tt.run(tx, key); !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if got := dump(tx); fmt.Sprint(got) != fmt.Sprint(before) || s.Bytes() != size || events != 0 {
					t.Errorf("got %d bytes, %d events, want %d, none", s.Bytes(), events, size)
				}
				checkBytes(t, s)
			})
		}
	}
}
