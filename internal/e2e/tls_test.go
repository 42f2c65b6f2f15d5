package e2e

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"fanfare/internal/place"
)

// TestClientsOverTLS lets clients of all kinds meet on a channel, with TLS on both ports of the broker and a
// certificate asked of each.
func TestClientsOverTLS(t *testing.T) {
	t.Parallel()
	authority, dir := place.NewAuthority(t), t.TempDir()
	file := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certText, keyText := authority.Issue("localhost", time.Now().Add(time.Hour))
	ca, cert, key := file("ca.pem", authority.PEM()), file("cert.pem", certText), file("key.pem", keyText)
	var flags []string
	for _, table := range []string{"resp", "http"} {
		flags = append(flags, "--"+table+"-tls-cert", cert, "--"+table+"-tls-key", key, "--"+table+"-tls-client-ca", ca)
	}
	n := start(t, flags...)
	config := authority.Client("a client")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()

	goRedis := redis.NewClient(&redis.Options{Addr: n.RESP, TLSConfig: config})
	defer func() { _ = goRedis.Close() }()
	subscribed := listen(t, goRedis, "news*")
	web, _, err := websocket.Dial(ctx, "wss://"+n.HTTP+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: config.Clone()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = web.CloseNow() }()
	browserReads := func(want string) {
		t.Helper()
		if _, got, err := web.Read(ctx); err != nil || !strings.Contains(string(got), want) {
			t.Fatalf("got %s, %v; want %s", got, err, want)
		}
	}
	browserReads(`"welcome"`)
	if err := web.Write(ctx, websocket.MessageText, []byte(`{"sub":"news:1"}`)); err != nil {
		t.Fatal(err)
	}
	browserReads(`"subbed"`)

	rueidisClient, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{n.RESP}, DisableCache: true, TLSConfig: config})
	if err != nil {
		t.Fatal(err)
	}
	defer rueidisClient.Close()
	cli := redisCLI(t)
	port := n.RESP[strings.LastIndexByte(n.RESP, ':')+1:]
	long := strings.Repeat("x", 300_000) // many records of TLS
	for name, publish := range map[string]func() (string, error){
		"go-redis": func() (string, error) {
			return long, goRedis.Publish(ctx, "news:1", long).Err()
		},
		"rueidis": func() (string, error) {
			return "from rueidis", rueidisClient.Do(ctx, rueidisClient.B().Publish().Channel("news:1").Message("from rueidis").Build()).Error()
		},
		"redis-cli": func() (string, error) {
			return "from redis-cli", exec.CommandContext(ctx, cli, "--tls", "--cacert", ca, "--cert", cert, "--key", key,
				"-h", "127.0.0.1", "-p", port, "PUBLISH", "news:1", "from redis-cli").Run()
		},
		"a browser": func() (string, error) {
			return "from a browser", web.Write(ctx, websocket.MessageText, []byte(`{"pub":"news:1","data":"from a browser"}`))
		},
	} {
		web.SetReadLimit(1 << 20)
		want, err := publish()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := receive(t, subscribed); got.Payload != want {
			t.Errorf("%s: go-redis got %.50q, want %.50q", name, got.Payload, want)
		}
		browserReads(want)
	}

	without := authority.Client("")
	stranger := redis.NewClient(&redis.Options{Addr: n.RESP, TLSConfig: without, MaxRetries: -1})
	defer func() { _ = stranger.Close() }()
	if err := stranger.Ping(ctx).Err(); err == nil {
		t.Error("go-redis gets in without a certificate")
	}
	_, _, err = websocket.Dial(ctx, "wss://"+n.HTTP+"/ws", &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: &http.Transport{TLSClientConfig: without.Clone()}},
	})
	if err == nil {
		t.Error("a browser gets in without a certificate")
	}
	if err := goRedis.Ping(ctx).Err(); err != nil {
		t.Errorf("the others: %v", err)
	}
}
