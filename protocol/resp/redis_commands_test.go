package resp

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// notOffered says in a few words why what Redis 7.2 has is not here: by group, by command with its
// subcommands, or by subcommand. What is offered must not have a reason of its own.
var notOffered = map[string]string{
	"group bitmap":      "sets and counters do most of it",
	"group geo":         "a field of its own",
	"group hyperloglog": "[sets](recipes/visitors.md) count exactly",
	"group scripting":   "no Lua; `WATCH` and `MULTI` do most of it, for example [locks](recipes/lock.md)",
	"group stream":      "channels have a [history](protocol-redis.md#channels-that-remember); [lists](recipes/queue.md) are queues",

	"acl":                 "one user",
	"bgrewriteaof":        noAppendOnly,
	"waitaof":             noAppendOnly,
	"debug":               "Redis' insides",
	"lolwut":              "art",
	"memory|doctor":       allocator,
	"memory|malloc-stats": allocator,
	"memory|purge":        allocator,
	"memory|stats":        allocator,
	"latency":             "`SLOWLOG` and `INFO commandstats` tell what takes long",
	"module":              "no modules",
	"shutdown":            "a signal stops the process",
	"failover":            noReplication,
	"psync":               noReplication,
	"replconf":            noReplication,
	"replicaof":           noReplication,
	"slaveof":             noReplication,
	"sync":                noReplication,
	"dump":                redisFormat,
	"restore":             redisFormat,
	"restore-asking":      redisFormat,
	"migrate":             redisFormat,
}

const (
	noAppendOnly  = "no append-only file"
	noReplication = "no replication"
	allocator     = "about Redis' allocator"
	redisFormat   = "Redis' binary form of values"
)

// groupTitles are the groups of Redis in the order of the document.
var groupTitles = []struct{ group, title string }{
	{"string", "Strings"},
	{"hash", "Hashes"},
	{"list", "Lists"},
	{"set", "Sets"},
	{"sorted-set", "Sorted sets"},
	{"generic", "Keys of all types"},
	{"transactions", "Transactions"},
	{"pubsub", "Pub/sub"},
	{"connection", "Connections"},
	{"server", "Server"},
	{"cluster", "Cluster"},
	{"scripting", "Scripts and functions"},
	{"stream", "Streams"},
	{"bitmap", "Bitmaps"},
	{"hyperloglog", "HyperLogLog"},
	{"geo", "Geography"},
}

// redisCommands returns the commands of Redis 7.2 by group, in the order of their names; a subcommand is
// "client|id". The file was made from COMMAND DOCS of Redis 7.0.15 and the four that 7.2 added.
func redisCommands(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/redis-7.2-commands")
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		group, name, found := strings.Cut(strings.TrimSpace(line), " ")
		if !found {
			t.Fatalf("not a group and a name: %q", line)
		}
		groups[group] = append(groups[group], name)
	}
	// A container is what its subcommands are; COMMAND has a form of its own.
	for group, names := range groups {
		groups[group] = slices.DeleteFunc(names, func(name string) bool {
			return name != "command" && slices.ContainsFunc(names, func(sub string) bool { return strings.HasPrefix(sub, name+"|") })
		})
	}
	return groups
}

// offers says whether the table has a command or subcommand.
func offers(name string) bool {
	parent, sub, isSub := strings.Cut(name, "|")
	row := table[parent]
	return row != nil && (!isSub || row.index[sub] != nil)
}

// reasonFor returns why a command is not offered; empty: nothing says so.
func reasonFor(group, name string) string {
	parent, _, _ := strings.Cut(name, "|")
	for _, key := range []string{name, parent, "group " + group} {
		if reason := notOffered[key]; reason != "" {
			return reason
		}
	}
	return ""
}

func TestTheDocumentListsTheCommandsOfRedis(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../docs/redis-commands.md", "<!-- lists -->\n", "<!-- end of lists -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	got, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the lists", file)
	}
	groups := redisCommands(t)
	if len(groups) != len(groupTitles) {
		t.Errorf("got %d groups, %d of them with a title", len(groups), len(groupTitles))
	}
	var want strings.Builder
	want.WriteString("\n")
	for _, g := range groupTitles {
		listGroup(t, &want, g.group, g.title, groups[g.group])
	}
	listOwn(&want, groups)
	if *update && !t.Failed() {
		if err := os.WriteFile(file, []byte(head+begin+want.String()+end+tail), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want.String() {
		t.Errorf("the lists of %s are not those of the command table; run with -update\ngot:\n%s\nwant:\n%s", file, got, want.String())
	}
}

// listGroup writes what of a group is offered, and what is not and why.
func listGroup(t *testing.T, w *strings.Builder, group, title string, names []string) {
	t.Helper()
	if group == "cluster" {
		if at := slices.IndexFunc(names, func(name string) bool { return !offers(name) }); at >= 0 {
			t.Errorf("%s is not in the table", names[at])
		}
		fmt.Fprintf(w, "## %s\n\nKnown, and answered with `ERR This instance has cluster support disabled`: %s.\n\n", title, quotedNames(names))
		return
	}
	var offered, reasons []string
	lacking := map[string][]string{} // by reason
	for _, name := range names {
		if offers(name) {
			offered = append(offered, name)
			continue
		}
		reason := reasonFor(group, name)
		if reason == "" {
			t.Errorf("%s is not offered, and nothing says why", name)
		}
		if lacking[reason] == nil {
			reasons = append(reasons, reason)
		}
		lacking[reason] = append(lacking[reason], name)
	}
	fmt.Fprintf(w, "## %s (%d of %d)\n\n", title, len(offered), len(names))
	if len(offered) > 0 {
		fmt.Fprintf(w, "%s.\n\n", quotedNames(offered))
	}
	for _, reason := range reasons {
		fmt.Fprintf(w, "- Not offered (%s): %s\n", reason, quotedNames(lacking[reason]))
	}
	if len(reasons) > 0 {
		w.WriteString("\n")
	}
}

// listOwn writes the commands that Redis does not have.
func listOwn(w *strings.Builder, groups map[string][]string) {
	known := map[string]bool{}
	for _, names := range groups {
		for _, name := range names {
			known[name] = true
		}
	}
	var own []string
	for _, row := range everyRow() {
		if !known[row.full] && len(row.subcommands) == 0 {
			own = append(own, row.full)
		}
	}
	fmt.Fprintf(w, "## Fanfare's own\n\n%s; see [protocol-redis.md](protocol-redis.md#channels-that-remember).\n\n", quotedNames(own))
}

// quotedNames writes names as people type them.
func quotedNames(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = "`" + strings.ToUpper(strings.ReplaceAll(name, "|", " ")) + "`"
	}
	return strings.Join(list, " ")
}

// A reason for something that is offered is left over from the time before.
func TestWhatIsOfferedHasNoReasonNotToBe(t *testing.T) {
	t.Parallel()
	groups := redisCommands(t)
	for key := range notOffered {
		names := []string{key}
		if group, isGroup := strings.CutPrefix(key, "group "); isGroup {
			names = groups[group]
		}
		if len(names) == 0 || slices.ContainsFunc(names, offers) {
			t.Errorf("%q: some of this is offered, or Redis does not have it", key)
		}
	}
}

// Clients find out what a server can do by asking: they know this answer, and go on.
func TestWhatIsNotOfferedIsUnknown(t *testing.T) {
	t.Parallel()
	p := start(t, nil).dial()
	asked := 0
	for _, names := range redisCommands(t) {
		for _, name := range names {
			if offers(name) {
				continue
			}
			asked++
			parent, sub, isSub := strings.Cut(name, "|")
			want := fmt.Sprintf(`-"ERR unknown command '%s', with args beginning with: 'a' "`, parent)
			command := parent + " a"
			if isSub {
				want, command = fmt.Sprintf(`-"ERR unknown command '%s', with args beginning with: '%s' 'a' "`, parent, sub), parent+" "+sub+" a"
			}
			if table[parent] != nil {
				want = fmt.Sprintf(`-"ERR unknown subcommand '%s'. Try %s HELP."`, sub, strings.ToUpper(parent))
			}
			if got := p.send(command).read(); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	}
	if asked < 50 {
		t.Errorf("asked for %d commands, want those of seven groups at least", asked)
	}
	p.send("PING").want("+PONG")
}
