package topic

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// model is an Index written the plain way: a map, searched with the matcher.
type model map[neverKey[int]]*Pattern

func (m model) match(channel string) []int {
	var values []int
	for k, p := range m {
		if p.MatchString(channel) {
			values = append(values, k.value)
		}
	}
	slices.Sort(values)
	return values
}

// trial runs an index and its model side by side and keeps the snapshots of the
// past, each with the model of its time.
type trial struct {
	t     *testing.T
	index *Index[int]
	model model
	past  []moment
}

type moment struct {
	snapshot *Snapshot[int]
	model    model
}

func newTrial(t *testing.T) *trial {
	return &trial{t: t, index: NewIndex[int](), model: model{}}
}

func (tr *trial) add(glob string, v int) {
	p := Compile(glob)
	tr.index.Add(p, v)
	tr.model[neverKey[int]{glob, v}] = p
}

func (tr *trial) remove(glob string, v int) {
	tr.t.Helper()
	k := neverKey[int]{glob, v}
	_, want := tr.model[k]
	if got := tr.index.Remove(Compile(glob), v); got != want {
		tr.t.Fatalf("Remove(%q, %d): got %v, want %v", glob, v, got, want)
	}
	delete(tr.model, k)
	if got, want := tr.index.Len(), len(tr.model); got != want {
		tr.t.Fatalf("Len: got %d, want %d", got, want)
	}
}

// commit closes a transaction; keep also keeps its snapshot for check.
func (tr *trial) commit(keep bool) *Snapshot[int] {
	s := tr.index.Commit()
	if keep {
		tr.past = append(tr.past, moment{s, maps.Clone(tr.model)})
	}
	return s
}

// check compares every kept snapshot with the model of its time.
func (tr *trial) check(channels []string) {
	tr.t.Helper()
	for i, m := range tr.past {
		for _, channel := range channels {
			got := m.snapshot.Match(nil, []byte(channel))
			slices.Sort(got)
			want := m.model.match(channel)
			if !slices.Equal(got, want) {
				tr.t.Fatalf("snapshot %d of %d, channel %q: got %v, want %v\npatterns: %s", i, len(tr.past), channel, got, want, m.model.texts())
			}
			for _, after := range []int{0, 3, 6, 12} {
				wide := wideMatch(m.snapshot, channel, after)
				slices.Sort(wide)
				if !slices.Equal(wide, want) {
					tr.t.Fatalf("snapshot %d, channel %q, wide after %d steps: got %v, want %v\npatterns: %s", i, channel, after, wide, want, m.model.texts())
				}
			}
		}
	}
}

// empty removes everything and requires that nothing is left behind.
func (tr *trial) empty() {
	tr.t.Helper()
	for k := range maps.Clone(tr.model) {
		tr.remove(k.text, k.value)
	}
	s := tr.index.Commit()
	if tr.index.Len() != 0 || tr.index.root != nil || s.root != nil || len(tr.index.never) != 0 {
		tr.t.Fatalf("after all is removed: Len %d, %d nodes, %d patterns that never match", tr.index.Len(), countNodes(s.root), len(tr.index.never))
	}
}

func (m model) texts() string {
	var all []string
	for k := range m {
		all = append(all, fmt.Sprintf("%q=%d", k.text, k.value))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

// countNodes counts the nodes of a trie, and panics where one has no purpose.
func countNodes(n *node[int]) int {
	if n == nil {
		return 0
	}
	count := 1
	if n.fork != nil {
		for i, kid := range n.fork.kids {
			if kid.label == "" || kid.label[0] != n.fork.keys[i] {
				panic("child does not begin with its key")
			}
			count += countNodes(kid)
		}
	}
	if ext := n.extra; ext != nil {
		for _, e := range ext.classes {
			count += countNodes(e.to)
		}
		count += countNodes(ext.rev) + countNodes(ext.fwd)
	}
	if n.bare() && (n.fork == nil || len(n.fork.kids) < 2) {
		panic("node without purpose")
	}
	return count
}
