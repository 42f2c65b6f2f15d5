package ws

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestWhereARequestCameFrom(t *testing.T) {
	t.Parallel()
	trusted, err := newProxies([]string{"10.0.0.0/8", "127.0.0.1", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	const proxy, stranger = "10.0.0.1:999", "192.0.2.9:999"
	tests := []struct {
		name, peer string
		headers    []string
		want       string
		good       bool
	}{
		{"a stranger is itself", stranger, nil, "192.0.2.9", true},
		{"a stranger's header is nothing", stranger, []string{"203.0.113.7"}, "192.0.2.9", true},
		{"nor is a malformed one of a stranger counted", stranger, []string{"x"}, "192.0.2.9", true},
		{"a proxy without a header is itself", proxy, nil, "10.0.0.1", true},
		{"a proxy names its client", proxy, []string{"203.0.113.7"}, "203.0.113.7", true},
		{"what the client claims is left of its address", proxy, []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7", true},
		{"a client that claims to be a proxy's client", proxy, []string{"198.51.100.1, 10.1.1.1,203.0.113.7"}, "203.0.113.7", true},
		{"a client's malformed claim is not looked at", proxy, []string{"\x00, ,x, 203.0.113.7"}, "203.0.113.7", true},
		{"several proxies of ours", proxy, []string{"198.51.100.1, 203.0.113.7, 10.2.2.2, 10.3.3.3"}, "203.0.113.7", true},
		{"several headers are one list", proxy, []string{"198.51.100.1", "203.0.113.7", "10.2.2.2"}, "203.0.113.7", true},
		{"a header added behind the client's own", proxy, []string{"10.9.9.9", "203.0.113.7"}, "203.0.113.7", true},
		{"all of them proxies", proxy, []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1", true},
		{"IPv6", proxy, []string{"2001:1db8::7"}, "2001:1db8::7", true},
		{"a proxy on IPv6", "[2001:db8::1]:999", []string{"203.0.113.7"}, "203.0.113.7", true},
		{"IPv4 in IPv6 is IPv4", "[::ffff:10.0.0.1]:999", []string{"::ffff:203.0.113.7"}, "203.0.113.7", true},
		{"with a port", proxy, []string{"203.0.113.7:1234"}, "203.0.113.7", true},
		{"IPv6 with a port", proxy, []string{"[2001:1db8::7]:1234"}, "2001:1db8::7", true},
		{"a proxy that does not know", proxy, []string{"203.0.113.7, unknown"}, "10.0.0.1", false},
		{"a proxy of ours that says nonsense", proxy, []string{"203.0.113.7, x, 10.2.2.2"}, "10.2.2.2", false},
		{"an empty header", proxy, []string{""}, "10.0.0.1", false},
		{"an empty entry", proxy, []string{"203.0.113.7,"}, "10.0.0.1", false},
		{"a zone", proxy, []string{"fe80::1%eth0"}, "10.0.0.1", false},
		{"a name", proxy, []string{"localhost"}, "10.0.0.1", false},
		{"a network", proxy, []string{"203.0.113.0/24"}, "10.0.0.1", false},
	}
	s := &Server{proxies: trusted}
	for _, tt := range tests {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{
			"X-Forwarded-For": tt.headers, "X-Real-Ip": {"198.51.100.99"}, "Forwarded": {"for=198.51.100.98"},
		}}
		from, err := s.source(r)
		if from.addr != netip.MustParseAddr(tt.want) || (err == nil) != tt.good {
			t.Errorf("%s: got %v, %v; want %s, good %v", tt.name, from.addr, err, tt.want, tt.good)
		}
		want := tt.want
		if p := netip.MustParseAddrPort(tt.peer); p.Addr().Unmap().String() == tt.want {
			want = tt.peer // with the port, which is known
		}
		if from.text != want {
			t.Errorf("%s: the log would show %s, want %s", tt.name, from.text, want)
		}
	}
	if from, err := s.source(&http.Request{RemoteAddr: "memory"}); from.addr.IsValid() || from.text != "memory" || err != nil {
		t.Errorf("a peer without an address: got %+v, %v", from, err)
	}
}

func TestWhetherTheClientUsesTLSIsSaidByTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	trusted, err := newProxies([]string{"10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{proxies: trusted}
	for name, tt := range map[string]struct {
		peer    string
		headers []string
		want    bool
		good    bool
	}{
		"none":                      {"10.0.0.1:9", nil, false, true},
		"https":                     {"10.0.0.1:9", []string{"HTTPS"}, true, true},
		"http":                      {"10.0.0.1:9", []string{"http"}, false, true},
		"wss":                       {"10.0.0.1:9", []string{"wss"}, true, true},
		"the nearest proxy counts":  {"10.0.0.1:9", []string{"https", "https, http"}, false, true},
		"nonsense":                  {"10.0.0.1:9", []string{"gopher"}, false, false},
		"a stranger's is not taken": {"10.0.0.2:9", []string{"https"}, false, true},
	} {
		from, err := s.source(&http.Request{RemoteAddr: tt.peer, Header: http.Header{"X-Forwarded-Proto": tt.headers}})
		if from.encrypted != tt.want || (err == nil) != tt.good {
			t.Errorf("%s: got %v, %v; want %v, good %v", name, from.encrypted, err, tt.want, tt.good)
		}
	}
}

func TestAConnectionKnowsItsClient(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		proxies, headers []string
		want, logged     string
		malformed        int64
	}{
		"through a proxy":                    {[]string{"127.0.0.1"}, []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7", "203.0.113.7", 0},
		"a client that claims to be another": {nil, []string{"203.0.113.7"}, "127.0.0.1", "127.0.0.1:", 0},
		"a header that is malformed":         {[]string{"127.0.0.0/8"}, []string{"nonsense"}, "127.0.0.1", "127.0.0.1:", 1},
	} {
		core, logs := observer.New(zapcore.DebugLevel)
		r := newRig(t, func(c2 *Config) { c2.Log, c2.Proxies = zap.New(core), c.proxies })
		p, status := r.dialWith(http.Header{"X-Forwarded-For": c.headers})
		if p == nil {
			t.Fatalf("%s: status %d, want 101", name, status)
		}
		p.line()
		r.server.mu.Lock()
		for conn := range r.server.live {
			if conn.remote != netip.MustParseAddr(c.want) {
				t.Errorf("%s: the connection's client is %v, want %s", name, conn.remote, c.want)
			}
		}
		r.server.mu.Unlock()
		if got, _ := logs.FilterMessage("connection").All()[0].ContextMap()["remote"].(string); !strings.HasPrefix(got, c.logged) {
			t.Errorf("%s: the log shows %s, want %s", name, got, c.logged)
		}
		if got := r.server.Stats().MalformedForwarded; got != c.malformed || int64(logs.FilterMessage("proxy header ignored").Len()) != c.malformed {
			t.Errorf("%s: %d malformed headers counted and %d logged, want %d", name, got, logs.FilterMessage("proxy header ignored").Len(), c.malformed)
		}
	}
}

func TestWrongHostsAndProxiesAreRefused(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"", "x", "10.0.0.0/33", "10.0.0.1:80", "localhost", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		if (Config{Proxies: []string{entry}}).Validate() == nil {
			t.Errorf("proxy %q is accepted", entry)
		}
	}
	for _, entry := range []string{"", "https://a.example", "a.example:80", "[::1]:80", "*.example", "a.example/x", "u@a.example"} {
		if (Config{Hosts: []string{entry}}).Validate() == nil {
			t.Errorf("host %q is accepted", entry)
		}
	}
	good := Config{Proxies: []string{"10.0.0.1", "10.0.0.0/8", "::1", "::ffff:10.0.0.1"}, Hosts: []string{"a.example", "[::1]", "::1", "10.0.0.1"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}
