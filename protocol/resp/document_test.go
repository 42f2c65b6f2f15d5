package resp

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"fanfare/broker"
)

const document = "../../docs/protocol-redis.md"

// blocks returns the fenced blocks of a language in the document.
func blocks(t testing.TB, language string) []string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, m := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)```\n").FindAllStringSubmatch(string(text), -1) {
		list = append(list, m[1])
	}
	if len(list) == 0 {
		t.Fatalf("the document has no block of %s", language)
	}
	return list
}

// DocumentedRules returns the rules that the document's examples have.
func DocumentedRules(t testing.TB) []broker.Rule {
	t.Helper()
	var file struct {
		Channel []struct {
			Match   string
			History struct {
				Size int
				TTL  string
			}
			Retain              string
			Presence, Occupancy bool
		}
	}
	if _, err := toml.Decode(blocks(t, "toml")[0], &file); err != nil {
		t.Fatal(err)
	}
	retains := map[string]broker.Retain{"": broker.RetainFlagged, "all": broker.RetainAll, "never": broker.RetainNever}
	var rules []broker.Rule
	for _, c := range file.Channel {
		rule := broker.Rule{Match: c.Match, Retain: retains[c.Retain], Presence: c.Presence, Occupancy: c.Occupancy}
		rule.History.Size = c.History.Size
		if c.History.TTL != "" {
			ttl, err := time.ParseDuration(c.History.TTL)
			if err != nil {
				t.Fatal(err)
			}
			rule.History.TTL = ttl
		}
		rules = append(rules, rule)
	}
	return rules
}

func TestTheDocumentsConversationsAreHeld(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, block := range blocks(t, "conversation") {
		if !strings.Contains(all.String(), "\n"+block) {
			t.Errorf("no file of testdata has this conversation of the document:\n%s", block)
		}
	}
}

// The bytes of the document are what a connection of either version reads.
func TestTheDocumentsBytesAreWhatIsSent(t *testing.T) {
	t.Parallel()
	for i, block := range blocks(t, "bytes") {
		for _, proto := range []byte{'2', '3'} {
			t.Run(fmt.Sprintf("block %d in RESP%c", i+1, proto), func(t *testing.T) {
				t.Parallel()
				exchangeBytes(t, block, proto)
			})
		}
	}
}

// documentedEpoch is the epoch in the document.
const documentedEpoch = "ZK4nPq2W0cJtXh81sUvB3a"

var (
	someTime = regexp.MustCompile(`:1\d{12}\r\n`)
	unescape = strings.NewReplacer(`\r`, "\r", `\n`, "\n")
)

// exchangeBytes sends the commands of a block and compares the bytes that follow each.
func exchangeBytes(t *testing.T, block string, proto byte) {
	n := start(t, func(_ *Config, b *broker.Config) { b.Rules = DocumentedRules(t) })
	p := n.dial()
	if proto == '3' {
		p.send("HELLO 3").read()
	}
	command, want := "", ""
	check := func() {
		t.Helper()
		got := make([]byte, len(want))
		read, err := io.ReadFull(p.in, got)
		if text := p.normal(n, got[:read]); err != nil || text != want {
			t.Fatalf("%s (%v)\ngot  %q\nwant %q", command, err, text, want)
		}
		want = ""
	}
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case ">":
			check()
			command = rest
			p.send(strings.ReplaceAll(rest, documentedEpoch, n.broker.Epoch()))
		case "<", string(proto) + "<":
			want += unescape.Replace(rest)
		case "2<", "3<":
		default:
			t.Fatalf("not a line of a block of bytes: %s", line)
		}
	}
	check()
	if _, err := p.conn.Write([]byte("QUIT\r\n")); err != nil {
		t.Fatal(err)
	}
	p.want("+OK").closed()
}

// normal puts the document's epoch and time into what was read.
func (p *peer) normal(n *node, got []byte) string {
	text := strings.ReplaceAll(string(got), n.broker.Epoch(), documentedEpoch)
	return someTime.ReplaceAllString(text, ":1700000000000\r\n")
}
