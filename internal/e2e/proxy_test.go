package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/place"
)

// site is the name in the configurations of docs/reverse-proxy.md.
const site = "chat.example.org"

var codeBlock = regexp.MustCompile("(?s)\n```([a-z]+)\n(.*?)```\n")

// proxyDocument returns the blocks of the document by language, in order.
func proxyDocument(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/reverse-proxy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string][]string{}
	for _, block := range codeBlock.FindAllStringSubmatch(string(text), -1) {
		blocks[block[1]] = append(blocks[block[1]], block[2])
	}
	if len(blocks["nginx"]) != 2 || len(blocks["toml"]) != 1 || len(blocks["caddyfile"]) != 1 {
		t.Fatalf("got the blocks %v, want two for nginx, one for the broker and one for Caddy", blocks)
	}
	if !strings.Contains(string(text), "<!-- Not run by a test: ") {
		t.Error("nothing says why Caddy's block is not run")
	}
	return blocks
}

// replaced puts other texts into the place of some that each have to be there.
func replaced(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q in:\n%s", pairs[i], text)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// proxied is an nginx before a broker, and what its clients need.
type proxied struct {
	*node
	authority    *place.Authority
	https, redis string // addresses; redis is empty without the stream module
}

// startProxied runs the broker and nginx as the document says.
func startProxied(t *testing.T, stream bool) *proxied {
	t.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		lacking(t, "no nginx: install the package nginx-light")
	}
	module := ""
	if stream {
		module = streamModule(t, nginx)
	}
	blocks := proxyDocument(t)
	dir := t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// The flags of start come after the file and win over its address.
	n := start(t, "--log-level=debug", "--config", file("broker.toml", []byte(blocks["toml"][0])))
	f := &proxied{node: n, authority: place.NewAuthority(t)}
	cert, key := f.authority.Issue(site, time.Now().Add(time.Hour))
	certFile, keyFile := file("cert.pem", cert), file("key.pem", key)

	// A free port may be taken by somebody else before nginx listens.
	for range 5 {
		ports := [3]string{}
		for i := range ports {
			if ports[i], err = freeAddress(); err != nil {
				t.Fatal(err)
			}
		}
		text := replaced(t, blocks["nginx"][0],
			"include /etc/nginx/modules-enabled/*.conf;", module,
			"server 127.0.0.1:8080;", "server "+n.HTTP+";",
			"listen 443 ssl;", "listen "+ports[0]+" ssl;",
			"listen 80;", "listen "+ports[1]+";",
			"http {", "http {\n"+places(dir))
		if stream {
			text += replaced(t, blocks["nginx"][1], "listen 6380 ssl;", "listen "+ports[2]+" ssl;", "127.0.0.1:6379;", n.RESP+";")
			f.redis = ports[2]
		}
		live := "/etc/letsencrypt/live/" + site + "/"
		text = replaced(t, text, live+"fullchain.pem", certFile, live+"privkey.pem", keyFile)
		f.https = ports[0]
		if runNginx(t, nginx, dir, file("nginx.conf", []byte(text)), f.https) {
			return f
		}
	}
	t.Fatal("nginx does not start")
	return nil
}

// places make nginx keep its files in dir; the usual folders are the system's.
func places(dir string) string {
	text := "access_log off;\n"
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += fmt.Sprintf("%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	return text
}

// runNginx runs nginx as one process, without a master that would outlive it, and says
// whether it listens.
func runNginx(t *testing.T, nginx, dir, config, address string) bool {
	t.Helper()
	output := &transcript{}
	cmd := exec.Command(nginx, "-p", dir, "-c", config, "-e", "stderr",
		"-g", "daemon off; master_process off; error_log stderr; pid "+filepath.Join(dir, "nginx.pid")+";")
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // an unusable port is seen below
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("output of nginx:\n%s", output)
		}
	})
	if listens(address, ended) {
		return true
	}
	if text := output.String(); !strings.Contains(text, "Address already in use") {
		t.Fatalf("nginx does not start:\n%s", text)
	}
	return false
}

// streamModule is the line that loads nginx' stream module, empty where it is built in.
func streamModule(t *testing.T, nginx string) string {
	t.Helper()
	about, err := exec.Command(nginx, "-V").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(about), "--with-stream ") {
		return ""
	}
	path := "/usr/lib/nginx/modules"
	if _, after, found := strings.Cut(string(about), "--modules-path="); found {
		path = strings.Fields(after)[0]
	}
	path = filepath.Join(path, "ngx_stream_module.so")
	if _, err := os.Stat(path); err != nil {
		lacking(t, "nginx has no stream module: install the package libnginx-mod-stream")
	}
	return "load_module " + path + ";"
}

// another is a further address of this machine, which is not the one nginx speaks from.
const another = "127.0.0.5"

// client speaks HTTP to the site through the proxy, from another address.
func (f *proxied) client() *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(another)}, Timeout: patience}
	trusting := f.authority.Client("")
	trusting.ServerName = site
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		TLSClientConfig: trusting,
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "tcp", f.https) },
	}}
}

func TestTheNginxOfTheDocumentServesBrowsers(t *testing.T) {
	t.Parallel()
	f := startProxied(t, false)
	c := f.client()
	defer c.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	ws, answer, err := websocket.Dial(ctx, "wss://"+site+"/ws", &websocket.DialOptions{HTTPClient: c, HTTPHeader: http.Header{
		"Origin": {"https://" + site}, "X-Forwarded-For": {"203.0.113.7"}, "X-Real-Ip": {"203.0.113.8"},
	}})
	if err != nil {
		t.Fatalf("%v (%+v)", err, answer)
	}
	defer func() { _ = ws.CloseNow() }()
	expect := func(want string) {
		t.Helper()
		if _, got, err := ws.Read(ctx); err != nil || !strings.Contains(string(got), want) {
			t.Fatalf("got %s, %v; want %s", got, err, want)
		}
	}
	expect(`"welcome"`)
	if err := ws.Write(ctx, websocket.MessageText, []byte(`{"sub":"news"}`)); err != nil {
		t.Fatal(err)
	}
	expect(`"subbed"`)
	r := dial(t, f.RESP, 3)
	publish(t, r, "news", "hello")
	expect(`"hello"`)
	eventually(t, "the broker's log has the address of the client, and not the one that it claimed", func() bool {
		return strings.Contains(f.output.String(), `"remote":"`+another+`"`)
	})

	// The second is the broker's own page as somebody on the way could have changed it.
	for _, origin := range []string{"https://evil.example", "http://" + site, "null"} {
		_, answer, err := websocket.Dial(ctx, "wss://"+site+"/ws", &websocket.DialOptions{HTTPClient: c, HTTPHeader: http.Header{"Origin": {origin}}})
		if err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s: got %v, %v; want status 403", origin, answer, err)
		}
	}
	f.expectPage(t, c, site, http.StatusOK, "wss://"+site+"/ws")
	f.expectPage(t, c, "evil.example", http.StatusForbidden, "http.hosts")
	if text := f.output.String(); strings.Contains(text, "203.0.113.") {
		t.Errorf("the broker took a client's word for its address:\n%s", text)
	}
}

// expectPage asks for the page under a name.
func (f *proxied) expectPage(t *testing.T, c *http.Client, host string, status int, want string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+site+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	answer, err := c.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status || !strings.Contains(string(body), want) {
		t.Errorf("%s: got status %d, %v; want %d and %q in:\n%s", host, answer.StatusCode, err, status, want, body)
	}
}

func TestTheNginxOfTheDocumentServesRedisClients(t *testing.T) {
	t.Parallel()
	f := startProxied(t, true)
	trusting := f.authority.Client("")
	trusting.ServerName, trusting.MinVersion = site, tls.VersionTLS12
	c := redis.NewClient(&redis.Options{Addr: f.redis, TLSConfig: trusting})
	defer func() { _ = c.Close() }()
	s := listen(t, c, "news*")
	if got := publish(t, c, "news:1", "hello"); got != 1 {
		t.Errorf("got %d receivers, want 1", got)
	}
	if got := receive(t, s); got.Channel != "news:1" || got.Payload != "hello" {
		t.Errorf("got %+v", got)
	}
}
