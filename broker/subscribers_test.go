package broker

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// members returns what a worker would walk for each of its sessions.
func (s *subscribers) members(workers int) map[*Subscription]int {
	found := map[*Subscription]int{}
	if s == nil {
		return found
	}
	for _, sub := range s.flat {
		found[sub]++
	}
	for w := range workers {
		for f := range Format(MaxFormats) {
			if s.groups == nil {
				continue
			}
			for _, block := range s.groups[w*MaxFormats+int(f)] {
				for _, sub := range block {
					if sub.session.worker.index == w && sub.format == f {
						found[sub]++
					}
				}
			}
		}
	}
	return found
}

func checkSet(t *testing.T, s *subscribers, want map[*Subscription]bool, workers int) {
	t.Helper()
	got := s.members(workers)
	if len(got) != len(want) || s.size() != len(want) {
		t.Fatalf("got %d members and size %d, want %d", len(got), s.size(), len(want))
	}
	var counts [MaxFormats]int32
	var masks [MaxFormats]uint64
	for sub := range want {
		if got[sub] != 1 {
			t.Fatalf("a subscription stands %d times in the set", got[sub])
		}
		counts[sub.format]++
		masks[sub.format] |= 1 << sub.session.worker.index
	}
	if s != nil && (s.counts != counts || s.masks != masks) {
		t.Fatalf("counts %v, masks %v, want %v, %v", s.counts, s.masks, counts, masks)
	}
}

// Random additions and removals against a plain set; sets made on the way must
// stay what they were.
func TestSubscriberSetsArePersistent(t *testing.T) {
	t.Parallel()
	const workers = 3
	r := rand.New(rand.NewPCG(1, 2))
	ws := []*worker{{index: 0}, {index: 1}, {index: 2}}
	for _, top := range []int{10, 20, 40, 2000} {
		t.Run(fmt.Sprint("up to ", top), func(t *testing.T) {
			var set *subscribers
			want := map[*Subscription]bool{}
			var all []*Subscription
			type version struct {
				set  *subscribers
				want map[*Subscription]bool
			}
			var old []version
			for step := range 6000 {
				grow := r.IntN(top) >= len(all)
				if grow {
					sub := &Subscription{session: &Session{worker: ws[r.IntN(workers)]}, format: Format(r.IntN(2))}
					set = set.with(sub, workers)
					all = append(all, sub)
					want[sub] = true
				} else if len(all) > 0 {
					i := r.IntN(len(all))
					set = set.without(all[i])
					delete(want, all[i])
					all[i] = all[len(all)-1]
					all = all[:len(all)-1]
				}
				if step%97 == 0 {
					copied := make(map[*Subscription]bool, len(want))
					for s := range want {
						copied[s] = true
					}
					old = append(old, version{set, copied})
				}
			}
			checkSet(t, set, want, workers)
			for _, v := range old {
				checkSet(t, v.set, v.want, workers)
			}
		})
	}
}
