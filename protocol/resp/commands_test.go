package resp

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fanfare/broker"
	"fanfare/internal/conversation"
	"fanfare/kv"
)

var update = flag.Bool("update", false, "write the golden files anew")

// everyRow returns the rows of the table with their subcommands, by name.
func everyRow() []*command {
	var rows []*command
	for _, row := range sortedTable() {
		rows = append(rows, row)
		rows = append(rows, slices.SortedFunc(slices.Values(row.subcommands), func(a, b *command) int {
			return cmp.Compare(a.name, b.name)
		})...)
	}
	return rows
}

func TestCommandTableIsTheGoldenOne(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, row := range everyRow() {
		fmt.Fprintf(&got, "%s arity=%d flags=%s keys=%d,%d,%d(%s) acl=%s since=%s group=%s\n", row.full, row.arity,
			strings.Join(row.flags.names(), ","), row.keys.first, row.keys.last, row.keys.step, accessOf(row),
			strings.Join(row.categories(), ","), row.since, row.group)
	}
	const file = "testdata/commands.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the command table has changed; if that is intended, run with -update\ngot:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestEveryRowIsComplete(t *testing.T) {
	t.Parallel()
	for _, row := range everyRow() {
		switch {
		case row.summary == "" || row.since == "" || row.group == "" || row.complexity == "":
			t.Errorf("%s: documentation is missing", row.full)
		case row.arity == 0 || row.run == nil && row.subcommands == nil:
			t.Errorf("%s: cannot be called", row.full)
		case len(row.name) > longestName || row.name != strings.ToLower(row.name):
			t.Errorf("%s: lookup will not find it", row.full)
		}
	}
}

// Each row must be used in a conversation with an answer other than that the number of arguments is wrong;
// of the commands of cluster mode, which share one refusal, CLUSTER itself.
func TestEveryRowHasAConversation(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range conversedRows(string(text)) {
			used[name] = true
		}
	}
	for _, row := range everyRow() {
		if !used[row.full] && (row.group != "cluster" || row.name == "cluster") {
			t.Errorf("%s: no line `A> %s …` with an answer other than a wrong number of arguments in any file of testdata",
				row.full, strings.ToUpper(strings.ReplaceAll(row.full, "|", " ")))
		}
	}
}

var (
	sentLine     = regexp.MustCompile(`^([A-Z][0-9]*)> (?:@\S+ )*"?([^\s"]+)"?(?: +"?([^\s"]+))?`)
	answeredLine = regexp.MustCompile(`^([A-Z][0-9]*)<\*? ((?:@\S+ (?:\d{4} )?)*)(.*)`)
	// What Redis answers in the place of Fanfare, or did before the release that Fanfare is like.
	notOurs = regexp.MustCompile(`@redis( |<)`)
)

// conversedRows returns the commands, and with "|" the subcommands, that a conversation holds the answer of:
// the one that stands behind the command, before the same peer sends anything else.
func conversedRows(text string) []string {
	var rows []string
	asked := map[string][]string{} // by peer
	for line := range strings.Lines(text) {
		if m := sentLine.FindStringSubmatch(line); m != nil {
			asked[m[1]] = []string{strings.ToLower(m[2]), strings.ToLower(m[2] + "|" + m[3])}
			continue
		}
		if peer, _, raw := strings.Cut(line, ">> "); raw {
			delete(asked, peer)
		}
		m := answeredLine.FindStringSubmatch(line)
		if m == nil || notOurs.MatchString(m[2]) {
			continue
		}
		if !strings.Contains(m[3], "ERR wrong number of arguments for") {
			rows = append(rows, asked[m[1]]...)
		}
		delete(asked, m[1])
	}
	return rows
}

func TestAnAnswerAboutArgumentsIsNoConversation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ rule, text, want string }{
		{"the answer counts", "A> GET k\nA< nil\n", "get get|k"},
		{"a wrong number of arguments does not", "A> GET\nA< -ERR wrong number of arguments for 'get' command\n", ""},
		{"a later answer is another command's", "A> GET\nA< -ERR wrong number of arguments for 'get' command\nA< nil\n", ""},
		{"what is not answered does not count", "A> GET k\nA> PING\nA< +PONG\n", "ping ping|"},
		{"nor what another peer gets", "A> GET k\nB< nil\n", ""},
		{"Redis' own answer does not count", "A> GET k\nA< @redis nil\n", ""},
		{"nor that of earlier releases", "A> GET k\nA< @redis<7.2 nil\nA< @redis>=7.2 nil\n", "get get|k"},
		{"a deviation does", "A> GET k\nA< @fanfare 0014 nil\n", "get get|k"},
		{"bytes are not commands", "A> GET k\nA>> \"PING\\r\\n\"\nA< +PONG\n", ""},
	} {
		if got := strings.Join(conversedRows(tt.text), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
	}
}

// laterThanDebian are the rows that redis-server 7.0.15 does not have, or not with
// all of their options.
var laterThanDebian = []string{"client|no-touch", "client|setinfo", "cluster|myshardid", "zrank", "zrevrank"}

// notOfRedis are the commands that Redis does not have.
var notOfRedis = []string{"retain", "retained", "unretain", "history", "presence", "channel"}

func topName(row *command) string {
	name, _, _ := strings.Cut(row.full, "|")
	return name
}

func TestCommandTableAgreesWithRedis(t *testing.T) {
	t.Parallel()
	socket, err := conversation.Redis(t).RESP()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	in := bufio.NewReader(socket)
	for _, row := range everyRow() {
		if slices.Contains(laterThanDebian, row.full) || slices.Contains(notOfRedis, topName(row)) {
			continue
		}
		if _, err := fmt.Fprintf(socket, "COMMAND INFO %s\r\n", row.full); err != nil {
			t.Fatal(err)
		}
		v, err := conversation.ReadValue(in)
		if err != nil {
			t.Fatal(err)
		}
		if v.Elems[0].Null {
			t.Errorf("%s: Redis does not have it", row.full)
			continue
		}
		if got, want := describedRow(row), describedValue(v.Elems[0]); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	}
}

func describedRow(row *command) string {
	flags, categories := row.flags.names(), row.categories()
	slices.Sort(flags)
	slices.Sort(categories)
	return fmt.Sprintln(row.full, row.arity, flags, row.keys.first, row.keys.last, row.keys.step, categories, accessOf(row))
}

// accessOf joins what a command does to its first key and to the others.
func accessOf(row *command) string {
	var list []string
	for _, part := range row.keys.parts() {
		list = append(list, part.access)
	}
	return strings.Join(list, "; ")
}

func describedValue(v conversation.Value) string {
	list := func(v conversation.Value) []string {
		texts := []string{}
		for _, e := range v.Elems {
			texts = append(texts, strings.TrimPrefix(e.Text, "@"))
		}
		slices.Sort(texts)
		return texts
	}
	var access []string
	for _, spec := range v.Elems[8].Elems {
		for i, field := range spec.Elems {
			if field.Text == "flags" {
				var flags []string
				for _, e := range spec.Elems[i+1].Elems {
					flags = append(flags, e.Text)
				}
				access = append(access, strings.Join(flags, " "))
			}
		}
	}
	e := v.Elems
	return fmt.Sprintln(e[0].Text, e[1].Text, list(e[2]), e[3].Text, e[4].Text, e[5].Text, list(e[6]), strings.Join(access, "; "))
}

func TestLookupFoldsCase(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"PING": "ping", "pInG": "ping", "client ID": "client|id", "CLIENT nope": ""} {
		var args [][]byte
		for word := range strings.FieldsSeq(name) {
			args = append(args, []byte(word))
		}
		got := ""
		if _, cmd := lookup(args); cmd != nil {
			got = cmd.full
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if row, _ := lookup([][]byte{[]byte(strings.Repeat("a", 100))}); row != nil {
		t.Error("a name of 100 bytes was found")
	}
}

func TestEveryErrorHasAText(t *testing.T) {
	t.Parallel()
	// Not for clients: an error of configuration.
	internal := []string{"ErrEventClass"}
	own, err := os.ReadFile("errors.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Concat(sentinels(t, "../../broker/errors.go"), sentinels(t, "../../kv/errors.go")) {
		if !slices.Contains(internal, name) && name != "ErrMessageTooLarge" && !strings.Contains(string(own), "."+name+",") {
			t.Errorf("%s has no reply in errorTexts", name)
		}
	}
	if got, want := errorText(&broker.TooLargeError{Limit: 5}), "ERR message exceeds max-message (5 bytes)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := errorText(&broker.NameError{Name: "x", Err: broker.ErrDenied}), "NOPERM No permissions to access a channel"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := errorText(fmt.Errorf("get: %w", kv.ErrWrongType)), kv.ErrWrongType.Error(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := errorText(errors.New("secret")), "ERR internal error"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// sentinels returns the exported error variables that a file declares.
func sentinels(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Err") {
			names = append(names, spec.Names[0].Name)
		}
		return true
	})
	if len(names) == 0 {
		t.Fatalf("%s declares no errors", file)
	}
	return names
}
