package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// remote is an endpoint without a network, for bubbles of time.
type remote struct {
	mu    sync.Mutex
	set   []byte // nil: it is down
	hangs bool
	asked []time.Time
}

func (r *remote) RoundTrip(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, time.Now())
	if r.hangs {
		<-q.Context().Done()
		return nil, q.Context().Err()
	}
	if r.set == nil {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(r.set))), Request: q}, nil
}

func (r *remote) answer(set []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.set = set
}

func (r *remote) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.asked)
}

// running is a Verifier with the endpoints, whose Run ends with the test.
func running(t *testing.T, keys []KeyConfig, remotes ...*remote) *Verifier {
	t.Helper()
	v := verifier(t, Config{Keys: keys})
	for i, e := range v.endpoints {
		e.client.Transport = remotes[i]
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		v.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	synctest.Wait()
	return v
}

// after waits for that long in a bubble, and for what happens then.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func oneEndpoint() []KeyConfig { return []KeyConfig{{JWKS: "https://id.example/jwks"}} }

func TestAFloodOfUnknownKeysCostsOneFetchIn30Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{set: setOf(webKeyOf("d", eddsaKey().Public()))}
		v := running(t, oneEndpoint(), r)
		if r.count() != 1 {
			t.Fatalf("got %d fetches at the start", r.count())
		}
		token := edToken(t, "new", nil)
		for range 900 { // 90 seconds
			if _, _, err := v.Verify(token, now); err == nil {
				t.Fatal("the key is not known, yet it is")
			}
			after(time.Second / 10)
		}
		if got := r.count(); got != 4 {
			t.Errorf("got %d fetches, want 4: at 0, 30, 60 and 90 seconds", got)
		}
		for i := 1; i < len(r.asked); i++ {
			if d := r.asked[i].Sub(r.asked[i-1]); d < fetchPause {
				t.Errorf("fetch %d came %v after the one before", i, d)
			}
		}
	})
}

func TestANewKeyIsFetchedWhenATokenNamesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{set: setOf(webKeyOf("old", eddsaKey().Public()))}
		v := running(t, oneEndpoint(), r)
		after(time.Minute)
		r.answer(setOf(webKeyOf("old", eddsaKey().Public()), webKeyOf("new", eddsaKey().Public())))
		_, _, err := v.Verify(edToken(t, "new", nil), now)
		refused(t, err, ErrInvalid, `no key with kid "new"`)
		synctest.Wait()
		if _, _, err := v.Verify(edToken(t, "new", nil), now); err != nil {
			t.Error(err)
		}
		if r.count() != 2 {
			t.Errorf("got %d fetches", r.count())
		}
	})
}

func TestKeysStayWhileTheirEndpointIsDownAndGoWhenItSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{set: setOf(webKeyOf("d", eddsaKey().Public()))}
		v := running(t, oneEndpoint(), r)
		r.answer(nil)
		after(24 * time.Hour)
		if _, _, err := v.Verify(edToken(t, "d", nil), now); err != nil {
			t.Errorf("the endpoint is down: %v", err)
		}
		r.answer(setOf(webKeyOf("other", eddsaKey().Public())))
		after(fetchPause)
		_, _, err := v.Verify(edToken(t, "d", nil), now)
		refused(t, err, ErrInvalid, `no key with kid "d"`)
		before := r.count()
		after(fetchPause + fetchEvery) // The token above asked for one fetch.
		if got := r.count() - before; got != 2 {
			t.Errorf("got %d fetches, want one asked for and one after 10 minutes", got)
		}
	})
}

func TestAnEndpointThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := verifier(t, Config{Keys: oneEndpoint()})
		v.endpoints[0].client.Transport = &remote{hangs: true}
		began := time.Now()
		err := v.Fetch(t.Context())
		if took := time.Since(began); err == nil || took != fetchLimit {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

func TestAnEndpointThatIsDownAtTheStartIsAskedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &remote{}
		v := running(t, oneEndpoint(), r)
		after(time.Second)
		r.answer(setOf(webKeyOf("d", eddsaKey().Public())))
		after(fetchPause)
		if _, _, err := v.Verify(edToken(t, "d", nil), now); err != nil {
			t.Error(err)
		}
	})
}

// Two endpoints may call their keys the same. Whoever has a key at one of them must
// not log in as somebody of the other.
func TestAKeyIsGoodForItsOwnEndpointOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, strangers, _ := ed25519.GenerateKey(rand.Reader)
		ours := &remote{set: setOf(webKeyOf("k", eddsaKey().Public()))}
		theirs := &remote{set: setOf(webKeyOf("k", strangers.Public()))}
		v := running(t, []KeyConfig{
			{JWKS: "https://theirs.example/", Issuer: "theirs"},
			{JWKS: "https://ours.example/", Issuer: "ours"},
		}, theirs, ours)
		token := func(key ed25519.PrivateKey, issuer string) string {
			return sign(t, jwt.SigningMethodEdDSA, key, `{"alg":"EdDSA","kid":"k","jku":"https://theirs.example/"}`,
				string(must(json.Marshal(claims(map[string]any{"iss": issuer})))))
		}
		for _, c := range []struct {
			key    ed25519.PrivateKey
			issuer string
			want   string // the key's name, or the reason
		}{
			{eddsaKey(), "ours", `kid "k" of https://ours.example/`},
			{strangers, "theirs", `kid "k" of https://theirs.example/`},
			{strangers, "ours", `iss is not the key's issuer (user "u1", kid "k" of https://theirs.example/)`},
			{eddsaKey(), "theirs", `iss is not the key's issuer (user "u1", kid "k" of https://ours.example/)`},
		} {
			_, got, err := v.Verify(token(c.key, c.issuer), now)
			if err != nil {
				refused(t, err, ErrInvalid, c.want)
			} else if got.Key != c.want {
				t.Errorf("got %s, want %s", got.Key, c.want)
			}
		}
	})
}
