package auth

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestWhoseTokensAreRevoked(t *testing.T) {
	t.Parallel()
	r := NewRevoked(10)
	r.Revoke("u1", now)
	for name, c := range map[string]struct {
		user   string
		issued time.Time
		want   bool
	}{
		"made before":              {"u1", now.Add(-time.Hour), true},
		"made at that time":        {"u1", now, true},
		"made after":               {"u1", now.Add(time.Second), false},
		"made nobody knows when":   {"u1", time.Time{}, true},
		"another user":             {"u2", now.Add(-time.Hour), false},
		"another user, time empty": {"u2", time.Time{}, false},
		"a name is bytes":          {"U1", now.Add(-time.Hour), false},
	} {
		if got := r.Refuses(c.user, c.issued); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestRevokingAgainMovesTheTimeForwardOnly(t *testing.T) {
	t.Parallel()
	r := NewRevoked(10)
	r.Revoke("u1", now)
	r.Revoke("u1", now.Add(-time.Minute))
	if !r.Refuses("u1", now) {
		t.Error("an earlier time takes a later one back")
	}
	r.Revoke("u1", now.Add(time.Minute))
	if !r.Refuses("u1", now.Add(time.Minute)) || r.Len() != 1 {
		t.Errorf("a later time does not hold, or stands beside: %d users", r.Len())
	}
}

func TestRestoredUsers(t *testing.T) {
	t.Parallel()
	r := NewRevoked(10)
	r.Revoke("u1", now)
	if !r.Restore("u1") || r.Restore("u1") || r.Refuses("u1", now) || r.Len() != 0 {
		t.Error("a restored user is not")
	}
}

func TestTheOldestRevocationGoesForTheNewest(t *testing.T) {
	t.Parallel()
	r := NewRevoked(3)
	for _, user := range []string{"a", "b", "c", "a", "d", "e"} {
		r.Revoke(user, now)
	}
	for user, want := range map[string]bool{"a": true, "b": false, "c": false, "d": true, "e": true} {
		if got := r.Refuses(user, now); got != want {
			t.Errorf("%s: got %v", user, got)
		}
	}
	if r.Len() != 3 || r.Dropped() != 2 {
		t.Errorf("got %d users, %d dropped", r.Len(), r.Dropped())
	}
}

func TestUsersOfTheConfigurationStayOut(t *testing.T) {
	t.Parallel()
	r := NewRevoked(1)
	if got, want := r.List([]string{"b", "a", "b"}), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Revoke("x", now)
	r.Revoke("y", now) // x goes; a and b do not count
	if !r.Refuses("a", now.Add(time.Hour)) || !r.Refuses("b", time.Time{}) || r.Restore("a") {
		t.Error("a listed user gets in")
	}
	if got, want := r.List([]string{"b", "c"}), []string{"c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if r.Refuses("a", now) || !r.Refuses("c", now) {
		t.Error("the list is not that of the last call")
	}
}

func TestARevokedUserIsRefused(t *testing.T) {
	t.Parallel()
	cfg := withSecret()
	cfg.Revoked = NewRevoked(10)
	v := verifier(t, cfg)
	if v.Revoked() != cfg.Revoked {
		t.Fatal("the set is another")
	}
	token := func(iat any) string { return hs256(t, plainHeader, claims(map[string]any{"iat": iat})) }
	for _, iat := range []any{nil, now.Unix()} {
		if _, _, err := v.Verify(token(iat), now); err != nil {
			t.Errorf("before: %v", err)
		}
	}
	v.Revoked().Revoke("u1", now.Add(time.Second/2))
	for _, iat := range []any{nil, now.Unix()} {
		_, _, err := v.Verify(token(iat), now)
		refused(t, err, ErrRevoked, `user "u1"`)
	}
	if _, _, err := v.Verify(token(now.Unix()+1), now); err != nil {
		t.Errorf("a token made later: %v", err)
	}
}

func TestRevokedIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	r := NewRevoked(8)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 200 {
				user := strconv.Itoa((i*7 + g) % 16)
				r.Revoke(user, now)
				r.Refuses(user, now)
				r.Restore(strconv.Itoa(i % 16))
				r.List([]string{user})
			}
		})
	}
	wg.Wait()
	if r.Len() > 8 || r.Len() != len(r.users) {
		t.Errorf("got %d users, %d in the map", r.Len(), len(r.users))
	}
}
