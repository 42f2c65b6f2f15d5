package resp

import (
	"strings"
)

// flags of a command, named as COMMAND INFO prints them.
type flags uint32

const (
	flagWrite flags = 1 << iota
	flagReadonly
	flagDenyOOM
	flagAdmin
	flagPubSub
	flagNoScript
	flagBlocking
	flagLoading
	flagStale
	flagSkipMonitor
	flagSkipSlowlog
	flagFast
	flagNoAuth
	flagNoMulti
	flagNoAsyncLoading
	flagAllowBusy
	flagMayReplicate
	flagMovableKeys // set by register where keys follow their number

	// The following ones are ours and are not printed.

	flagImmediate  // runs at once inside MULTI instead of being queued
	flagSubscribed // allowed to a RESP2 connection in subscribed mode
	flagWholeStore // touches keys that its arguments do not name: takes every lock
	flagPublish    // goes into the connection's batch; every other command commits that first
	flagPushes     // what it writes are pushes, which CLIENT REPLY OFF does not silence
	flagAnnounces  // may tell subscribers of an event: waits for room, as publishers do, and for a pause of writes
	flagStoreStats // reads the store's statistics, which take every lock by themselves
)

// flagNames is in the order in which Redis prints them.
var flagNames = []struct {
	flag flags
	name string
}{
	{flagWrite, "write"},
	{flagReadonly, "readonly"},
	{flagDenyOOM, "denyoom"},
	{flagAdmin, "admin"},
	{flagPubSub, "pubsub"},
	{flagNoScript, "noscript"},
	{flagBlocking, "blocking"},
	{flagLoading, "loading"},
	{flagStale, "stale"},
	{flagSkipMonitor, "skip_monitor"},
	{flagSkipSlowlog, "skip_slowlog"},
	{flagFast, "fast"},
	{flagNoAuth, "no_auth"},
	{flagMayReplicate, "may_replicate"},
	{flagNoMulti, "no_multi"},
	{flagNoAsyncLoading, "no_async_loading"},
	{flagMovableKeys, "movablekeys"},
	{flagAllowBusy, "allow_busy"},
}

func (f flags) has(g flags) bool { return f&g != 0 }

func (f flags) names() []string {
	var names []string
	for _, n := range flagNames {
		if f.has(n.flag) {
			names = append(names, n.name)
		}
	}
	return names
}

// keySpec says which arguments are keys, as COMMAND INFO prints it: positions
// count from 1 (0 is the command's name), a negative last counts from the end.
// The zero keySpec names none.
type keySpec struct {
	first, last, step int
	access            string // flags of the key specification, separated by blanks: "RO access"
	others            string // those of the keys after the first, where they differ
	shard             bool   // the arguments are shard channels: clients route by them, nothing is locked
	// count is the position of an argument that says how many keys follow it; 0: there is none. Where
	// there are keys before it, access is of those and others of these.
	count int
	// more finds keys that are anywhere among the arguments; nil: there are none. unknown is the
	// access of those, and of keys that no argument names.
	more    func(args [][]byte) [][]byte
	unknown []string
}

// countedKeys is the keySpec of a command whose keys follow their number, which is
// the argument at count.
func countedKeys(count int, access string) keySpec { return keySpec{count: count, access: access} }

// storedKeys is the keySpec of a command that stores under its first argument what
// it makes of keys that follow their number.
func storedKeys() keySpec {
	return keySpec{first: 1, last: 1, step: 1, access: "OW update", count: 2, others: "RO access"}
}

// oneKey is the keySpec of a command whose first argument is its only key.
func oneKey(access string) keySpec { return keySpec{first: 1, last: 1, step: 1, access: access} }

// manyKeys is the keySpec of a command all of whose arguments are keys.
func manyKeys(access string) keySpec { return keySpec{first: 1, last: -1, step: 1, access: access} }

// shardChannels is the keySpec of a command on shard channels.
func shardChannels(last int) keySpec {
	return keySpec{first: 1, last: last, step: 1, access: "not_key", shard: true}
}

// twoKeys is the keySpec of a command whose first two arguments are keys and
// that does something else to each.
func twoKeys(first, second string) keySpec {
	return keySpec{first: 1, last: 2, step: 1, access: first, others: second}
}

// pairKeys is the keySpec of a command whose arguments are keys and values in turn.
func pairKeys(access string) keySpec { return keySpec{first: 1, last: -1, step: 2, access: access} }

// parts returns the key specifications of COMMAND INFO: none, one, or one for
// the first key and one for the others.
func (s keySpec) parts() []keySpec {
	switch {
	case s.first == 0 && s.count == 0:
		return nil
	case s.unknown != nil:
		list := []keySpec{{first: s.first, last: s.last, step: s.step, access: s.access}}
		for _, access := range s.unknown {
			list = append(list, keySpec{access: access})
		}
		return list
	case s.first != 0 && s.count != 0:
		stored, counted := s, countedKeys(s.count, s.others)
		stored.count, stored.others = 0, ""
		return []keySpec{stored, counted}
	case s.others == "":
		return []keySpec{s}
	}
	first, others := s, s
	first.last = s.first
	others.first, others.access = s.first+1, s.others
	return []keySpec{first, others}
}

// of appends the keys among args, which include the command's name.
func (s keySpec) of(dst, args [][]byte) [][]byte {
	if s.shard {
		return dst
	}
	last := s.last
	if last < 0 {
		last += len(args)
	}
	for i := s.first; i > 0 && i <= last && i < len(args); i += s.step {
		dst = append(dst, args[i])
	}
	if s.more != nil {
		dst = append(dst, s.more(args)...)
	}
	return append(dst, s.counted(args)...)
}

// counted returns the keys that follow their number; none where that makes no
// sense, which the command will say.
func (s keySpec) counted(args [][]byte) [][]byte {
	if s.count == 0 || s.count >= len(args) {
		return nil
	}
	n, ok := parseInt(args[s.count])
	rest := args[s.count+1:]
	if !ok || n < 1 || n > int64(len(rest)) {
		return nil
	}
	return rest[:n]
}

// some says whether there are arguments that are keys of the store.
func (s keySpec) some() bool { return (s.first != 0 || s.count != 0) && !s.shard }

// command is a row of the command table.
//
// A row is made known by register, from the init function of a cmd_*.go file;
// this is the only use of init in the package. Dispatch has checked existence,
// arity, authentication and the connection's mode before run is called, and for
// a command with keys (or flagWholeStore) it has begun call.tx on them, so that
// run takes no lock and EXEC can run many commands under one set of locks:
//
//	func init() {
//		register(&command{
//			name: "strlen", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO"),
//			acl: "string", group: "string", since: "2.2.0", complexity: "O(1)",
//			summary: "Returns the number of bytes of a key's string.",
//			run: strlen,
//		})
//	}
//
//	func strlen(x *call) {
//		value, _, err := x.tx.Get(x.db, x.args[1])
//		if err != nil {
//			x.fail(err)
//			return
//		}
//		x.w.Int(int64(len(value)))
//	}
type command struct {
	name  string // lower case
	arity int    // with the name; negative: at least as many
	flags flags
	keys  keySpec
	// whole says whether a call takes every lock, as with flagWholeStore all do; nil: none does.
	whole func(args [][]byte) bool
	// acl names the categories that do not follow from flags and keys,
	// separated by blanks ("string", "connection", "dangerous").
	acl string

	// What COMMAND DOCS says; the summary is in our own words.
	group, since, complexity, summary string

	// subcommands of a container; their name is that of the subcommand alone.
	subcommands []*command
	// run executes the command and writes exactly one reply (or as many as the
	// command has by its nature). It is nil for a container without a form of
	// its own.
	run func(x *call)

	full   string // "client|id"; the name itself for a command without parent
	parent *command
	number int                 // of the row, among all
	index  map[string]*command // subcommands by name
}

// table holds every command by its lower-case name. It is complete once the
// package is initialised and never changes after that.
var table = map[string]*command{}

// register makes commands known. Two rows with one name are a programming
// error that the test of the table reports.
func register(rows ...*command) {
	for _, row := range rows {
		row.full = row.name
		row.enumerate()
		for _, sub := range row.subcommands {
			if row.index == nil {
				row.index = make(map[string]*command, len(row.subcommands))
			}
			sub.full, sub.parent = row.name+"|"+sub.name, row
			row.index[sub.name] = sub
			sub.enumerate()
		}
		table[row.name] = row
	}
}

// commandCount is the number of rows, subcommands included.
var commandCount int

func (m *command) enumerate() {
	if m.keys.count > 0 || m.keys.unknown != nil {
		m.flags |= flagMovableKeys
	}
	m.number = commandCount
	commandCount++
}

// longestName bounds the names lookup folds to lower case; longer ones are
// unknown.
const longestName = 32

// lookup finds the row that args call for: the command, and sub, the same row
// or that of the subcommand. A nil row is an unknown command, a nil sub an
// unknown subcommand.
func lookup(args [][]byte) (row, sub *command) { return find(table, args[0]).called(args) }

// called returns the row and, of a container, that of the subcommand among args.
func (m *command) called(args [][]byte) (row, sub *command) {
	if m == nil || m.index == nil || len(args) == 1 {
		return m, m
	}
	return m, find(m.index, args[1])
}

// find looks a name up without regard to case and without allocation.
func find(rows map[string]*command, name []byte) *command {
	if len(name) > longestName {
		return nil
	}
	var folded [longestName]byte
	for i, ch := range name {
		if 'A' <= ch && ch <= 'Z' {
			ch += 'a' - 'A'
		}
		folded[i] = ch
	}
	return rows[string(folded[:len(name)])]
}

// acceptsArgs says whether the number of arguments is right.
func (m *command) acceptsArgs(n int) bool {
	if m.arity < 0 {
		return n >= -m.arity
	}
	return n == m.arity
}

// locks says whether the command needs a transaction of the store.
func (m *command) locks() bool {
	return m.keys.some() || m.flags.has(flagWholeStore)
}

// locksAll says whether a call takes every lock.
func (m *command) locksAll(args [][]byte) bool {
	return m.flags.has(flagWholeStore) || m.whole != nil && m.whole(args)
}

// categoryNames is in the order in which Redis prints the ACL categories.
var categoryNames = []string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string",
	"bitmap", "hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow",
	"blocking", "dangerous", "connection", "transaction", "scripting",
}

// categories returns the ACL categories, without the "@".
func (m *command) categories() []string {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(m.acl) {
		set[name] = true
	}
	for flag, names := range map[flags][]string{
		flagWrite:    {"write"},
		flagReadonly: {"read"},
		flagAdmin:    {"admin", "dangerous"},
		flagPubSub:   {"pubsub"},
		flagBlocking: {"blocking"},
	} {
		for _, name := range names {
			set[name] = set[name] || m.flags.has(flag)
		}
	}
	set["fast"] = m.flags.has(flagFast)
	set["slow"] = !m.flags.has(flagFast)
	var names []string
	for _, name := range categoryNames {
		if set[name] {
			names = append(names, name)
		}
	}
	return names
}
