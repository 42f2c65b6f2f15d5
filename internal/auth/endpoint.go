package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	fetchLimit = 5 * time.Second  // for one fetch, with its redirects
	fetchPause = 30 * time.Second // between the begins of two fetches, at least
	fetchEvery = 10 * time.Minute // between two that nothing asked for
	redirects  = 3
)

// Fetch is what came of asking an endpoint for its keys.
type Fetch struct {
	URL  string
	Keys int   // that are of use; 0 after an error
	Err  error // nil: the keys of before were replaced
}

// endpoint is a place where keys are published. Its keys belong to it alone: another
// endpoint's key of the same name is another key.
type endpoint struct {
	// set at construction
	kc      KeyConfig
	client  *http.Client
	fetched func(Fetch)

	keys   atomic.Pointer[[]*key]
	wanted chan struct{} // of one: somebody needs a key that is not there

	mu     sync.Mutex
	last   time.Time // when the last fetch began; guarded by mu
	failed bool      // whether it failed; guarded by mu
}

func newEndpoint(kc KeyConfig, fetched func(Fetch)) *endpoint {
	if fetched == nil {
		fetched = func(Fetch) {}
	}
	e := &endpoint{kc: kc, fetched: fetched, wanted: make(chan struct{}, 1)}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		MaxResponseHeaderBytes: 64 << 10,
		DisableKeepAlives:      true, // The next fetch is minutes away.
	}
	e.client = &http.Client{Transport: transport, Timeout: fetchLimit, CheckRedirect: sameHost}
	e.keys.Store(&[]*key{})
	return e
}

// sameHost lets a redirect change the path only: the configuration says whom the
// broker trusts, and which machines it talks to.
func sameHost(next *http.Request, before []*http.Request) error {
	if len(before) > redirects {
		return fmt.Errorf("more than %d redirects", redirects)
	}
	if first := before[0].URL; next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return errors.New("redirected to another host")
	}
	return nil
}

// checkURL accepts https, and http where nobody can listen in.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("jwks: it is not a URL such as https://example.org/jwks.json")
	case u.User != nil:
		return errors.New("jwks: a URL with a user or password is not accepted")
	case u.Scheme == "https", u.Scheme == "http" && local(u.Hostname()):
		return nil
	}
	return errors.New("jwks: only https, or http on loopback")
}

func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// run fetches whenever it is time to, until ctx ends.
func (e *endpoint) run(ctx context.Context) {
	for e.await(ctx) {
		_ = e.fetch(ctx) // fetched was told.
	}
}

// await returns when the next fetch may begin and there is a reason for it; false at
// the end of ctx.
func (e *endpoint) await(ctx context.Context) bool {
	e.mu.Lock()
	last, failed := e.last, e.failed
	e.mu.Unlock()
	if last.IsZero() {
		return ctx.Err() == nil
	}
	due := last.Add(fetchEvery)
	if failed {
		due = last.Add(fetchPause)
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-e.wanted:
	}
	timer.Reset(time.Until(last.Add(fetchPause)))
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// fetch replaces the keys by those of the endpoint; at an error they stay. It does
// nothing if the last fetch began less than fetchPause ago.
func (e *endpoint) fetch(ctx context.Context) error {
	keys, begun, err := e.replace(ctx)
	if !begun {
		return nil
	}
	if err != nil {
		err = fmt.Errorf("fetch keys: %w", err)
	}
	e.fetched(Fetch{URL: e.kc.JWKS, Keys: keys, Err: err})
	return err
}

func (e *endpoint) replace(ctx context.Context) (count int, begun bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if !e.last.IsZero() && now.Sub(e.last) < fetchPause {
		return 0, false, nil
	}
	select {
	case <-e.wanted: // This fetch is the answer.
	default:
	}
	e.last = now
	keys, err := e.get(ctx)
	if e.failed = err != nil; e.failed {
		return 0, true, err
	}
	e.keys.Store(&keys)
	return len(keys), true, nil
}

func (e *endpoint) get(ctx context.Context) ([]*key, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.kc.JWKS, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := e.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %d", e.kc.JWKS, answer.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxSet+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", e.kc.JWKS, err)
	}
	if len(text) > maxSet {
		return nil, fmt.Errorf("%s answered more than %d bytes", e.kc.JWKS, maxSet)
	}
	keys, err := parseSet(text, &e.kc)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", e.kc.JWKS, err)
	}
	return keys, nil
}
