package ws

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"fanfare/internal/audit"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	local := Config{Loopback: true}
	guarded := Config{Loopback: true, Credentials: true}
	public := Config{Origins: []string{"https://app.example.com", "HTTP://Dev.Example.com:3000/", "capacitor://localhost"}}
	const missing = "(missing)"
	tests := []struct {
		name   string
		cfg    Config
		host   string
		origin string
		want   bool
	}{
		{"a program that is no browser may", local, "127.0.0.1:8080", missing, true},
		{"the own page may", local, "localhost:8080", "http://localhost:8080", true},
		{"the own page may, on the default port", public, "a.example", "https://a.example", true},
		{"the own page may, with the default port spelt out", public, "a.example:80", "http://a.example", true},
		{"the own page may behind a proxy that ends TLS", public, "a.example", "https://a.example", true},
		{"the own name with another port may not", public, "a.example:8080", "http://a.example:8081", false},
		{"the own name is compared without case", public, "A.Example:8080", "http://a.exAMPLE:8080", true},
		{"localhost may from any port", local, "127.0.0.1:8080", "http://localhost:3000", true},
		{"127.0.0.1 may from any port", local, "localhost:8080", "http://127.0.0.1:3000", true},
		{"[::1] may from any port", local, "localhost:8080", "http://[::1]:3000", true},
		{"localhost over TLS may", local, "localhost:8080", "https://localhost", true},
		{"localhost may not where there are credentials", guarded, "127.0.0.1:8080", "http://localhost:3000", false},
		{"the own page may where there are credentials", guarded, "127.0.0.1:8080", "http://127.0.0.1:8080", true},
		{"localhost may not where the server is public", public, "a.example", "http://localhost:3000", false},
		{"a foreign page may not", local, "127.0.0.1:8080", "http://evil.example", false},
		{"a name that begins with localhost may not", local, "127.0.0.1:8080", "http://localhost.evil.example", false},
		{"a name that ends with localhost may not", local, "127.0.0.1:8080", "http://evillocalhost", false},
		{"null may not", local, "127.0.0.1:8080", "null", false},
		{"an empty origin may not", local, "127.0.0.1:8080", "", false},
		{"file:// may not", local, "127.0.0.1:8080", "file://", false},
		{"another scheme of localhost may not", local, "127.0.0.1:8080", "ftp://localhost", false},
		{"an origin with a path may not", local, "127.0.0.1:8080", "http://localhost/x", false},
		{"an origin with a user may not", local, "127.0.0.1:8080", "http://localhost@evil.example", false},
		{"a configured origin may", public, "a.example", "https://app.example.com", true},
		{"a configured origin may, with the default port", public, "a.example", "https://app.example.com:443", true},
		{"a configured origin with another scheme may not", public, "a.example", "http://app.example.com", false},
		{"a configured origin with another port may not", public, "a.example", "https://app.example.com:444", false},
		{"a configured origin is compared without case", public, "a.example", "http://dev.example.COM:3000", true},
		{"a configured origin may have a scheme of its own", public, "a.example", "capacitor://localhost", true},
		{"a name below a configured origin may not", public, "a.example", "https://x.app.example.com", false},
	}
	for _, tt := range tests {
		o, err := newOrigins(&tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Host: tt.host, Header: http.Header{}}
		if tt.origin != missing {
			r.Header.Set("Origin", tt.origin)
		}
		if got := o.check(r, source{}) == nil; got != tt.want {
			t.Errorf("%s: origin %s at host %s: allowed = %v, want %v", tt.name, tt.origin, tt.host, got, tt.want)
		}
	}
}

func TestOriginsOfWhatIsKnownOfTheClient(t *testing.T) {
	t.Parallel()
	here, there := source{addr: netip.MustParseAddr("127.0.0.1")}, source{addr: netip.MustParseAddr("192.0.2.1")}
	encrypted := source{encrypted: true}
	local := Config{Loopback: true, Origins: []string{"http://plain.example"}}
	tests := []struct {
		name, host, origin string
		from               source
		want               bool
	}{
		{"a page of this machine, opened here", "localhost:8080", "http://localhost:3000", here, true},
		{"a page of another machine's localhost, through a proxy", "localhost:8080", "http://localhost:3000", there, false},
		{"the own page, through a proxy", "localhost:8080", "http://localhost:8080", there, true},
		{"the own page over TLS", "a.example", "https://a.example", encrypted, true},
		{"the own name without TLS, where TLS is spoken", "a.example:80", "http://a.example", encrypted, false},
		{"a configured origin without TLS, where TLS is spoken", "a.example", "http://plain.example", encrypted, true},
	}
	for _, tt := range tests {
		o, err := newOrigins(&local)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Host: tt.host, Header: http.Header{"Origin": {tt.origin}}}
		if got := o.check(r, tt.from) == nil; got != tt.want {
			t.Errorf("%s: allowed = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTwoOriginHeadersAreRefused(t *testing.T) {
	t.Parallel()
	o, err := newOrigins(&Config{Loopback: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &http.Request{Host: "localhost", Header: http.Header{"Origin": {"http://localhost", "http://localhost"}}}
	if o.check(r, source{}) == nil {
		t.Error("two Origin headers are allowed, want a refusal")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	local := Config{Loopback: true, Origins: []string{"https://app.example.com"}}
	named := Config{Loopback: true, Origins: local.Origins, Hosts: []string{"Chat.example.com", "::1"}}
	public := Config{Hosts: []string{"chat.example.com"}}
	tests := []struct {
		name string
		cfg  Config
		host string
		want bool
	}{
		{"localhost", local, "localhost:8080", true},
		{"in upper case", local, "LOCALHOST", true},
		{"127.0.0.1", local, "127.0.0.1:8080", true},
		{"any loopback address", local, "127.5.0.1:8080", true},
		{"[::1]", local, "[::1]:8080", true},
		{"[::1] without a port", local, "[::1]", true},
		{"a foreign name on loopback", local, "evil.example:8080", false},
		{"a name that begins with an address", local, "127.0.0.1.evil.example", false},
		{"another address", local, "192.0.2.1:8080", false},
		{"none", local, "", false},
		{"that of a configured origin", local, "app.example.com", true},
		{"a foreign name on a public server", Config{}, "anything.example", true},
		{"a listed name", named, "chat.example.com", true},
		{"a listed name with a port", named, "CHAT.example.com:8443", true},
		{"a listed address", named, "[::1]:8080", true},
		{"a list takes the place of the names of this machine", named, "localhost:8080", false},
		{"a list takes the place of the origins' hosts", named, "app.example.com", false},
		{"a listed name on a public server", public, "chat.example.com:80", true},
		{"another name on a public server with a list", public, "evil.example", false},
		{"a name below a listed one", public, "x.chat.example.com", false},
		{"none on a public server with a list", public, "", false},
	}
	for _, tt := range tests {
		o, err := newOrigins(&tt.cfg)
		if err != nil {
			t.Fatal(err)
		}
		if got := o.checkHost(&http.Request{Host: tt.host}) == nil; got != tt.want {
			t.Errorf("%s: host %q allowed = %v, want %v", tt.name, tt.host, got, tt.want)
		}
	}
}

func TestRefusedOriginGets403AndOneLogLine(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.InfoLevel)
	r := newRig(t, func(c *Config) { c.Log = zap.New(core) })
	for _, header := range []http.Header{
		{"Origin": {"http://evil.example"}}, {"Origin": {"null"}}, {"Host": {"evil.example"}, "Origin": {"http://evil.example"}},
	} {
		logs.TakeAll()
		if _, status := r.dialWith(header.Clone()); status != http.StatusForbidden {
			t.Fatalf("%v: status %d, want 403", header, status)
		}
		lines := logs.TakeAll()
		if len(lines) != 1 || lines[0].Level != zapcore.WarnLevel {
			t.Fatalf("%v: log lines = %v, want one warning", header, lines)
		}
		fields := lines[0].ContextMap()
		setting := "http.origins"
		if header.Get("Host") != "" {
			header, setting = http.Header{"Host": header["Host"]}, "http.hosts"
		}
		for name, values := range header {
			if got := fields[strings.ToLower(name)]; got != values[0] || fields["setting"] != setting {
				t.Errorf("%v: log fields = %v, want %s and setting", header, fields, name)
			}
		}
	}
	if p, status := r.dialWith(http.Header{"Origin": {"http://localhost:5173"}}); p == nil {
		t.Errorf("a page of this machine is refused: status %d", status)
	} else if got := p.line(); !strings.HasPrefix(got, `{"welcome"`) {
		t.Errorf("got %s, want a welcome", got)
	}
	if got := r.server.Stats(); got.RefusedOrigin != 2 || got.RefusedHost != 1 {
		t.Errorf("stats = %+v, want 2 refused origins and 1 refused host", got)
	}
}

func TestLogOfRefusalsIsLimitedAndCountsTheRest(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.InfoLevel)
	r := newRig(t, func(c *Config) { c.Log = zap.New(core) })
	const tries = audit.LinesOfOne + 5
	began := time.Now()
	for range tries {
		if p, _ := r.dialWith(http.Header{"Origin": {strings.Repeat("x", 1000)}}); p != nil {
			t.Fatal("accepted")
		}
	}
	r.server.audit.Close()
	lines, left := 0, int64(0)
	for _, entry := range logs.All() {
		if entry.Message == "lines left out" {
			left += entry.ContextMap()["suppressed"].(int64)
			continue
		}
		lines++
		if got, ok := entry.ContextMap()["origin"].(string); !ok || len(got) > audit.Shown {
			t.Errorf("the log repeats %d bytes of the origin, want at most %d", len(got), audit.Shown)
		}
	}
	if int64(lines)+left != tries {
		t.Errorf("%d lines and %d left out, want %d together", lines, left, tries)
	}
	if time.Since(began) < audit.Window && lines > audit.LinesOfOne {
		t.Errorf("%d lines in a window, want at most %d", lines, audit.LinesOfOne)
	}
}

func TestTheTokenSubprotocolIsNotEchoed(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	for offered, want := range map[string]string{
		"bearer.secret, broker.v1": "broker.v1", "bearer.secret": "", "broker.v1": "broker.v1",
	} {
		c := r.connect()
		header := c.handshake("Sec-WebSocket-Protocol: " + offered + "\r\n")
		if got := header.Get("Sec-WebSocket-Protocol"); got != want {
			t.Errorf("offered %q: subprotocol = %q, want %q", offered, got, want)
		}
	}
}
