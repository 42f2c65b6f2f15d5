package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	places "fanfare/internal/place"
)

// secure is a broker with TLS on both of its ports.
type secure struct {
	*process
	wallet *wallet
}

func startSecure(t *testing.T, w *wallet, flags ...string) *secure {
	t.Helper()
	flags = append(flags, w.flags("resp")...)
	return &secure{start(t, append(flags, w.flags("http")...)...), w}
}

// handshake dials an address and returns the connection and the serial number of the
// certificate that was shown there.
func handshake(t *testing.T, address string, c *tls.Config) (conn *tls.Conn, serial string) {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn = tls.Client(raw, c)
	if err := conn.HandshakeContext(t.Context()); err != nil {
		_ = raw.Close()
		t.Fatalf("%s: %v", address, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// answers says whether each of the two ports answers a client with that configuration.
func (s *secure) answers(c *tls.Config) (resp, http error) {
	s.t.Helper()
	return s.ask(s.resp, c, "PING\r\n", "+PONG"), s.ask(s.http, c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200")
}

func (s *secure) ask(address string, c *tls.Config, request, want string) error {
	s.t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	conn := tls.Client(raw, c)
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, want) {
		s.t.Errorf("%s: got %q, want %q", address, line, want)
	}
	return err
}

func (s *secure) expectAnswers(c *tls.Config) {
	s.t.Helper()
	if resp, http := s.answers(c); resp != nil || http != nil {
		s.t.Errorf("got %v and %v, want an answer on both ports", resp, http)
	}
}

func TestBothPortsSpeakTLSAndNothingElse(t *testing.T) {
	t.Parallel()
	s := startSecure(t, newWallet(t))
	s.expectAnswers(s.wallet.authority.Client(""))
	old := s.wallet.authority.Client("")
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if resp, http := s.answers(old); resp == nil || http == nil {
		t.Errorf("TLS 1.1: got %v and %v, want refusals", resp, http)
	}
	stranger := places.NewAuthority(t).Client("")
	if resp, http := s.answers(stranger); resp == nil || http == nil {
		t.Errorf("got %v and %v, want a client that does not trust the authority to turn away", resp, http)
	}
	for _, address := range []string{s.resp, s.http} {
		plain, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		p := newPeer(t, plain)
		p.send("PING\r\nHost: localhost\r\n\r\n")
		if answer, _ := io.ReadAll(p.in); strings.Contains(string(answer), "PONG") || strings.HasPrefix(string(answer), "HTTP") {
			t.Errorf("%s answered %q without TLS", address, answer)
		}
	}
	offer := s.wallet.authority.Client("")
	offer.NextProtos = []string{"h2", "http/1.1"}
	for address, want := range map[string]string{s.resp: "", s.http: "http/1.1"} {
		if c, _ := handshake(t, address, offer); c.ConnectionState().NegotiatedProtocol != want {
			t.Errorf("%s: protocol %q, want %q", address, c.ConnectionState().NegotiatedProtocol, want)
		}
	}
}

func TestInfoCountsRefusedHandshakesOfBothPorts(t *testing.T) {
	t.Parallel()
	s := startSecure(t, newWallet(t), "--tls-min-version=1.3")
	old := s.wallet.authority.Client("")
	old.MaxVersion = tls.VersionTLS12
	for range 2 {
		if resp, http := s.answers(old); resp == nil || http == nil {
			t.Fatalf("TLS 1.2: got %v and %v, want refusals", resp, http)
		}
	}
	c, _ := handshake(t, s.resp, s.wallet.authority.Client(""))
	p := newPeer(t, c)
	// The refused have been told before they were counted.
	for counted := 0; counted < 2; {
		counted = 0
		p.send("INFO stats\r\n")
		for line := ""; !strings.HasPrefix(line, "http_refused_tls_handshakes:"); {
			var err error
			if line, err = p.line(); err != nil {
				t.Fatal(err)
			}
			if line == "refused_tls_handshakes:2" || line == "http_refused_tls_handshakes:2" {
				counted++
			}
		}
		p.send("ECHO end\r\n")
		for line := ""; line != "end"; {
			var err error
			if line, err = p.line(); err != nil {
				t.Fatal(err)
			}
		}
	}
	remotes := map[any]bool{}
	for range 4 {
		entry := s.await("TLS handshake refused")
		remotes[entry["remote"]] = true
		if text, _ := entry["error"].(string); !strings.Contains(text, "version") {
			t.Errorf("got %v, want the reason in the log", entry)
		}
	}
	if len(remotes) != 4 {
		t.Errorf("got %v, want the addresses of four peers", remotes)
	}
}

func TestRenewedCertificatesAreShownWithoutARestart(t *testing.T) {
	t.Parallel()
	s := startSecure(t, newWallet(t))
	trusting := s.wallet.authority.Client("")
	before, first := handshake(t, s.resp, trusting)
	old := newPeer(t, before)
	s.wallet.renew(time.Now().Add(500 * time.Hour))
	for _, address := range []string{s.resp, s.http} {
		// The broker looks once a second at most.
		for deadline := time.Now().Add(patience); ; {
			if _, serial := handshake(t, address, trusting); serial != first {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s shows the old certificate after %v", address, patience)
			}
		}
	}
	_, second := handshake(t, s.resp, trusting)
	s.wallet.renew(time.Now().Add(400 * time.Hour))
	s.signal(syscall.SIGHUP)
	s.await("nothing to reload: the broker was started without a configuration file")
	for _, address := range []string{s.resp, s.http} {
		if _, serial := handshake(t, address, trusting); serial == second {
			t.Errorf("%s shows the old certificate after SIGHUP", address)
		}
	}
	s.wallet.write(s.wallet.files.Key, []byte("broken"))
	s.signal(syscall.SIGHUP)
	if entry := s.await("certificate not reloaded: the one before stays"); entry["level"] != "error" {
		t.Errorf("got %v, want an error", entry)
	}
	s.expectAnswers(trusting)
	old.send("PING\r\n")
	old.expect("+PONG")
}

func TestWithoutTheClientCertificateThatIsAskedForNobodyGetsIn(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	w.clients()
	s := startSecure(t, w)
	known, _ := handshake(t, s.resp, w.authority.Client("known"))
	sub := newPeer(t, known)
	sub.send("SUBSCRIBE a\r\n")
	sub.expect("*3", "$9", "subscribe", "$1", "a", ":1")
	foreign := places.NewAuthority(t).Client("foreign")
	foreign.RootCAs = w.authority.Pool()
	for name, c := range map[string]*tls.Config{"none": w.authority.Client(""), "one by a foreign authority": foreign} {
		if resp, http := s.answers(c); resp == nil || http == nil {
			t.Errorf("%s: got %v and %v, want refusals", name, resp, http)
		}
	}
	s.expectAnswers(w.authority.Client("known"))
	pub, _ := handshake(t, s.resp, w.authority.Client("other"))
	p := newPeer(t, pub)
	p.send("PUBLISH a x\r\n")
	p.expect(":1")
	sub.expect("*3", "$7", "message", "$1", "a", "$1", "x")
}

func TestAHandshakeThatStallsEndsAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	s := startSecure(t, newWallet(t))
	stalled := map[string]net.Conn{}
	for _, address := range []string{s.resp, s.http} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := c.Write([]byte{22, 3, 1, 2, 0, 1}); err != nil { // the beginning of a ClientHello
			t.Fatal(err)
		}
		stalled[address] = c
	}
	s.expectAnswers(s.wallet.authority.Client(""))
	for address, c := range stalled {
		if err := c.SetReadDeadline(time.Now().Add(10 * patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s waits for ever for the rest of a handshake", address)
		}
	}
	for range 2 {
		s.await("TLS handshake refused")
	}
}

func TestAnUnusableCertificateIsAnErrorOfTheStartAndOfTheCheck(t *testing.T) {
	t.Parallel()
	w := newWallet(t)
	good := w.flags("http")
	if got := invoke(t, nil, append([]string{"check-config"}, good...)...); got.code != exitOK || strings.Contains(got.stdout, "But") {
		t.Errorf("a good one: got %+v", got)
	}
	if err := os.Chmod(w.files.Key, 0o604); err != nil {
		t.Fatal(err)
	}
	w2 := &wallet{t: t, authority: w.authority, files: tlsFiles{Cert: w.files.Cert, Key: w.files.Cert + ".of-another"}}
	if got := invoke(t, nil, append([]string{"check-config"}, good...)...); got.code != exitOK ||
		!strings.Contains(got.stdout, "But http.tls-key: "+w.files.Key+": every user of this machine may read it (mode 604)") {
		t.Errorf("a key that all may read: got %+v", got)
	}
	_, key := w.authority.Issue("localhost", time.Now().Add(time.Hour))
	w2.write(w2.files.Key, key)
	for name, flags := range map[string][]string{
		"another one's key": w2.flags("http"),
		"no such file":      {"--resp-tls-cert=" + w.dir + "/none", "--resp-tls-key=" + w.files.Key},
		"no key":            {"--resp-tls-cert=" + w.files.Cert},
	} {
		for _, command := range [][]string{{"check-config"}, {"--resp=127.0.0.1:0", "--http=127.0.0.1:0"}} {
			got := invoke(t, nil, append(command, flags...)...)
			if got.code != exitFailed || !strings.Contains(got.stderr, ".tls-") || strings.Count(got.stderr, "\n") != 1 {
				t.Errorf("%s, %s: got %+v, want one line that names the setting, and exit code %d", name, command[0], got, exitFailed)
			}
		}
	}
}

func TestTheBannerNamesWhatTheClientsNeed(t *testing.T) {
	t.Parallel()
	s := startSecure(t, newWallet(t))
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: s.wallet.authority.Client("")}}
	defer c.CloseIdleConnections()
	answer, err := c.Get("https://" + s.http + "/")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || !strings.Contains(string(page), "wss://"+s.http+"/ws") || !strings.Contains(string(page), "redis-cli --tls -p ") {
		t.Errorf("the page names neither wss:// nor --tls: %v", err)
	}
	s.signal(syscall.SIGTERM)
	s.exit()
	for _, want := range []string{"https://" + s.http, "wss://" + s.http, "redis-cli --tls -p "} {
		if !strings.Contains(s.stdout.String(), want) {
			t.Errorf("the banner has no %q:\n%s", want, s.stdout)
		}
	}
}
