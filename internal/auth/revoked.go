package auth

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

// MaxRevoked is how many users a Revoked of the broker holds.
const MaxRevoked = 100_000

// Revoked is the set of users whose tokens are refused: those revoked at a time,
// whose later tokens are good again, and those of the configuration, who stay out as
// long as they stand there. It is safe for concurrent use.
//
// When a token ends is known by the token only, so a revocation has no end of its
// own: the set is bounded, the oldest goes for the newest, and Dropped counts them.
// It is in memory and ends with the process.
type Revoked struct {
	mu      sync.Mutex
	most    int
	users   map[string]*list.Element
	order   list.List // of *revocation, the oldest first
	listed  map[string]struct{}
	dropped uint64
}

type revocation struct {
	user string
	at   time.Time
}

// NewRevoked returns an empty set for at most that many users.
func NewRevoked(most int) *Revoked {
	return &Revoked{most: max(most, 1), users: map[string]*list.Element{}}
}

// Revoke refuses the tokens of the user made at that time or before; a token that
// does not say when it was made counts as made before. Tokens say whole seconds: one
// made within the same second is refused too. Revoking again only ever moves the time
// forward. It does not end sessions: the caller does, afterwards.
func (r *Revoked) Revoke(user string, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, is := r.users[user]; is {
		if known := e.Value.(*revocation); at.After(known.at) {
			known.at = at
		}
		r.order.MoveToBack(e)
		return
	}
	if r.order.Len() == r.most {
		oldest := r.order.Remove(r.order.Front()).(*revocation)
		delete(r.users, oldest.user)
		r.dropped++
	}
	r.users[user] = r.order.PushBack(&revocation{user, at})
}

// Restore takes back what Revoke did, and says whether there was anything. Users of
// the configuration stay refused.
func (r *Revoked) Restore(user string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, is := r.users[user]
	if is {
		r.order.Remove(e)
		delete(r.users, user)
	}
	return is
}

// List makes these the users of the configuration, in the place of those before, and
// returns the ones that are new, in byte order: their sessions have to be ended.
func (r *Revoked) List(users []string) (added []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := make(map[string]struct{}, len(users))
	for _, user := range users {
		if _, is := r.listed[user]; !is {
			added = append(added, user)
		}
		listed[user] = struct{}{}
	}
	r.listed = listed
	slices.Sort(added)
	return slices.Compact(added)
}

// Refuses says whether a token of the user made at that time is refused; a zero time
// is that of a token that does not say it.
func (r *Revoked) Refuses(user string, issued time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, is := r.listed[user]; is {
		return true
	}
	e, is := r.users[user]
	return is && (issued.IsZero() || !issued.After(e.Value.(*revocation).at))
}

// Len returns how many users are refused by Revoke.
func (r *Revoked) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.order.Len()
}

// Dropped returns how many users were forgotten because there were too many.
func (r *Revoked) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}
