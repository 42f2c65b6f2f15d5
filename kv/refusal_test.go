package kv

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// refusalSlack is by how much a command may take a store over its limit: a table that
// grows takes memory for 512 entries when the first of them comes, which is not asked for
// ahead.
const refusalSlack = 10 * (segmentSize*pointerBytes + 768)

// arguments makes the random arguments of a command.
type arguments struct{ *rand.Rand }

// word is a text, mostly a short one.
func (r arguments) word() []byte {
	return fmt.Appendf(nil, "%0*d", 1+r.IntN([]int{3, 20, 100, 5000}[r.IntN(4)]), r.IntN(1000))
}

// words are integers, and a word behind them.
func (r arguments) words() (list [][]byte) {
	for range 1 + r.IntN([]int{2, 200}[r.IntN(2)]) {
		list = append(list, fmt.Append(nil, r.IntN(3000)))
	}
	return append(list, r.word())
}

func (r arguments) key(kind string) []byte { return fmt.Append(nil, kind, r.IntN(6)) }

func (r arguments) end() End { return End(r.IntN(2) == 0) }

// grows is a command that may make the store larger, or smaller.
func grows(r arguments, tx *Tx) (name string, err error) {
	switch r.IntN(5) {
	case 0:
		return growsHash(r, tx)
	case 1:
		return growsList(r, tx)
	case 2:
		return growsSet(r, tx)
	case 3:
		return growsSorted(r, tx)
	}
	return "smaller", shrinks(r, tx)
}

func growsHash(r arguments, tx *Tx) (name string, err error) {
	switch r.IntN(4) {
	case 0:
		list := r.words()
		_, err = tx.HSet(0, r.key("h"), append(list, list...))
		name = "HSet"
	case 1:
		_, err = tx.HSetNX(0, r.key("h"), r.word(), r.word())
		name = "HSetNX"
	case 2:
		_, err = tx.HIncrBy(0, r.key("h"), fmt.Append(nil, "n", r.IntN(1000)), r.Int64N(1e15))
		name = "HIncrBy"
	default:
		_, err = tx.HIncrByFloat(0, r.key("h"), fmt.Append(nil, "f", r.IntN(1000)), fmt.Append(nil, r.NormFloat64()))
		name = "HIncrByFloat"
	}
	return name, err
}

func growsList(r arguments, tx *Tx) (name string, err error) {
	switch r.IntN(5) {
	case 0:
		_, err = tx.Push(0, r.key("l"), r.end(), r.words(), false)
		name = "Push"
	case 1:
		_, _, err = tx.LMove(0, r.key("l"), r.end(), r.key("l"), r.end())
		name = "LMove"
	case 2:
		err = tx.LSet(0, r.key("l"), int64(r.IntN(30)-15), r.word())
		name = "LSet"
	case 3:
		_, err = tx.LInsert(0, r.key("l"), fmt.Append(nil, r.IntN(3000)), r.word(), r.IntN(2) == 0)
		name = "LInsert"
	default:
		_, err = tx.StoreSorted(0, r.key("l"), slices.Values(r.words()))
		name = "StoreSorted"
	}
	return name, err
}

func growsSet(r arguments, tx *Tx) (name string, err error) {
	switch r.IntN(6) {
	case 0:
		_, err = tx.SAdd(0, r.key("s"), r.words())
		name = "SAdd"
	case 1:
		_, err = tx.SAdd(0, r.key("s"), r.words()[:1])
		name = "SAdd of an integer"
	case 2:
		_, err = tx.SUnionStore(0, r.key("s"), [][]byte{r.key("s"), r.key("s")})
		name = "SUnionStore"
	case 3:
		_, err = tx.SDiffStore(0, r.key("s"), [][]byte{r.key("s"), r.key("s")})
		name = "SDiffStore"
	case 4:
		_, err = tx.SInterStore(0, r.key("s"), [][]byte{r.key("s"), r.key("s")})
		name = "SInterStore"
	default:
		kind := []string{"h", "l", "s", "z"}[r.IntN(4)]
		from, to := Key{0, r.key(kind)}, Key{0, r.key(kind)}
		if string(from.Key) != string(to.Key) {
			_, err = tx.Copy(from, to, true)
		}
		name = "Copy"
	}
	return name, err
}

func growsSorted(r arguments, tx *Tx) (name string, err error) {
	switch r.IntN(3) {
	case 0:
		var list []Scored
		for _, m := range r.words() {
			list = append(list, Scored{m, float64(r.IntN(1000))})
		}
		_, _, err = tx.ZAdd(0, r.key("z"), list, 0)
		name = "ZAdd"
	case 1:
		_, _, err = tx.ZIncrBy(0, r.key("z"), r.word(), r.NormFloat64(), 0)
		name = "ZIncrBy"
	default:
		_, err = tx.ZRangeStore(0, r.key("z"), r.key("z"), &SortedRange{Start: int64(r.IntN(3)), Stop: -1})
		name = "ZRangeStore"
	}
	return name, err
}

// shrinks is a command that makes the store smaller, unless it moves something.
func shrinks(r arguments, tx *Tx) (err error) {
	count := int64(1 + r.IntN(400))
	switch r.IntN(9) {
	case 0:
		_, err = tx.HDel(0, r.key("h"), r.words())
	case 1:
		_, _, err = tx.Pop(0, r.key("l"), r.end(), count)
	case 2:
		_, err = tx.LRem(0, r.key("l"), 0, fmt.Append(nil, r.IntN(3000)))
	case 3:
		_, err = tx.SRem(0, r.key("s"), r.words())
	case 4:
		err = tx.SPopCount(0, r.key("s"), count, func(int) {}, func([]byte) {})
	case 5:
		_, err = tx.ZPop(0, r.key("z"), count, r.IntN(2) == 0)
	case 6:
		_, err = tx.ZRem(0, r.key("z"), r.words())
	case 7:
		_, err = tx.SMove(0, r.key("s"), r.key("s"), r.words()[0])
	case 8:
		tx.Delete(0, r.key([]string{"h", "l", "s", "z"}[r.IntN(4)]))
	}
	return err
}

// A command that is refused for memory has changed nothing, and one that is not keeps to
// the limit.
func TestARefusedWriteToACollectionChangesNothing(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := arguments{rand.New(rand.NewPCG(seed, 0))}
	const limit = 100_000
	s := newStore(Config{Databases: 1, MaxMemory: limit})
	refused, worst := map[string]int{}, map[string]int64{}
	steps := 5000
	if raceEnabled || testing.Short() {
		steps = 1000
	}
	for range steps {
		s.SetCompact([]Compact{DefaultCompact, few}[r.IntN(2)])
		before, bytes := describe(s), s.Bytes()
		tx := s.BeginAll()
		name, err := grows(r, tx)
		tx.End()
		switch after := s.Bytes(); {
		case errors.Is(err, ErrOOM):
			refused[name]++
			if after != bytes || !maps.Equal(describe(s), before) {
				t.Fatalf("%s was refused, and has changed something: %d bytes, were %d", name, after, bytes)
			}
		case after > bytes && after > limit+refusalSlack:
			t.Errorf("%s: %d bytes, were %d, limit %d", name, after, bytes, limit)
		default:
			worst[name] = max(worst[name], min(after-bytes, after-limit))
		}
		checkBytes(t, s)
	}
	t.Logf("over the limit by: %v, refused: %v", worst, refused)
	if len(refused) < 10 {
		t.Errorf("not all commands were refused: %v", refused)
	}
}

// What the node at the end has to spare is of no use to an element that needs another one.
func TestAPushToAHalfEmptyNodeAsksForTheNextOne(t *testing.T) {
	t.Parallel()
	s := newStore(Config{})
	tx := s.BeginAll()
	defer tx.End()
	for range 80 {
		if _, err := tx.Push(0, []byte("l"), Right, [][]byte{make([]byte, 98)}, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := tx.Pop(0, []byte("l"), Right, 58); err != nil {
		t.Fatal(err)
	}
	s.SetMaxMemory(s.Bytes() + 5000)
	if _, err := tx.Push(0, []byte("l"), Right, [][]byte{make([]byte, 7000)}, false); !errors.Is(err, ErrOOM) {
		t.Errorf("got %v, %d bytes, limit %d", err, s.Bytes(), s.MaxMemory())
	}
	if _, err := tx.Push(0, []byte("l"), Right, [][]byte{make([]byte, 5000)}, false); err != nil {
		t.Errorf("what fits into the node: got %v", err)
	}
}
