package kv

import "testing"

// setForms are sets of each form.
var setForms = []struct {
	name, prefix string
	size         int
}{{"intset/members=500", "", 500}, {"listpack/members=100", "m", 100}, {"hashtable/members=10k", "m", 10_000}}

func benchSet(b *testing.B, s *Store, key string, members [][]byte) {
	b.Helper()
	t := s.BeginAll()
	defer t.End()
	if _, err := t.SAdd(0, []byte(key), members); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkSAdd(b *testing.B) {
	for _, form := range setForms {
		b.Run("form="+form.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			members := benchElements(form.prefix, form.size)
			keys, one := keysOf("s"), make([][]byte, 1)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				one[0] = members[i%len(members)]
				t := s.Begin(0, keys)
				if i%len(members) == 0 {
					t.Delete(0, keys[0])
				}
				if n, err := t.SAdd(0, keys[0], one); n != 1 || err != nil {
					b.Fatal(n, err)
				}
				t.End()
			}
		})
	}
}

func BenchmarkSIsMember(b *testing.B) {
	for _, form := range setForms {
		b.Run("form="+form.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			members := benchElements(form.prefix, form.size)
			benchSet(b, s, "s", members)
			keys := keysOf("s")
			b.ReportAllocs()
			for i := 0; b.Loop(); i += 7919 {
				t := s.Begin(0, keys)
				if ok, err := t.SIsMember(0, keys[0], members[i%len(members)]); !ok || err != nil {
					b.Fatal(ok, err)
				}
				t.End()
			}
		})
	}
}

func BenchmarkSInter(b *testing.B) {
	for _, form := range setForms {
		b.Run("form="+form.name, func(b *testing.B) {
			s := New(Config{})
			defer s.Close()
			members := benchElements(form.prefix, form.size)
			benchSet(b, s, "a", members)
			benchSet(b, s, "b", members[:len(members)/2])
			keys := keysOf("a", "b")
			b.ReportAllocs()
			for b.Loop() {
				t := s.Begin(0, keys)
				n, err := t.SInterCard(0, keys, 0)
				t.End()
				if n != int64(len(members)/2) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkSPop(b *testing.B) {
	s := New(Config{})
	defer s.Close()
	members, keys := benchElements("m", 10_000), keysOf("s")
	b.ReportAllocs()
	for b.Loop() {
		t := s.Begin(0, keys)
		_, ok, err := t.SPop(0, keys[0])
		if err == nil && !ok {
			_, err = t.SAdd(0, keys[0], members)
		}
		t.End()
		if err != nil {
			b.Fatal(err)
		}
	}
}
