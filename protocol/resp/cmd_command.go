package resp

import (
	"maps"
	"slices"
	"strings"

	"fanfare/topic"
)

func init() {
	const common = flagLoading | flagStale
	register(&command{
		name: "command", arity: -1, flags: common, acl: "connection", group: "server", since: "2.8.13",
		complexity: "O(N) for N commands", summary: "Describes all commands.",
		run: func(x *call) { x.describeAll(sortedTable()) },
		subcommands: []*command{
			{name: "count", arity: 2, flags: common, acl: "connection", group: "server", since: "2.8.13",
				complexity: "O(1)", summary: "Counts the commands.",
				run: func(x *call) { x.w.Int(int64(len(table))) }},
			{name: "info", arity: -2, flags: common, acl: "connection", group: "server", since: "2.8.13",
				complexity: "O(N) for N commands", summary: "Describes some or all commands.", run: commandInfo},
			{name: "docs", arity: -2, flags: common, acl: "connection", group: "server", since: "7.0.0",
				complexity: "O(N) for N commands", summary: "Documents some or all commands.", run: commandDocs},
			{name: "list", arity: -2, flags: common, acl: "connection", group: "server", since: "7.0.0",
				complexity: "O(N) for N commands", summary: "Lists the names of commands.", run: commandList},
			{name: "getkeys", arity: -4, flags: common, acl: "connection", group: "server", since: "2.8.13",
				complexity: "O(N) for N arguments", summary: "Returns the keys among a command's arguments.", run: commandGetKeys},
			{name: "getkeysandflags", arity: -4, flags: common, acl: "connection", group: "server", since: "7.0.0",
				complexity: "O(N) for N arguments", summary: "Returns the keys among a command's arguments, and what it does to them.",
				run: commandGetKeysAndFlags},
			{name: "help", arity: 2, flags: common, acl: "connection", group: "server", since: "5.0.0",
				complexity: "O(1)", summary: "Lists the subcommands.", run: help},
		},
	})
}

// sortedTable returns the table by name.
func sortedTable() []*command {
	return slices.SortedFunc(maps.Values(table), func(a, b *command) int { return strings.Compare(a.name, b.name) })
}

// named finds a command by its full name ("client|id"); nil: unknown.
func named(full []byte) *command {
	name, rest, sub := strings.Cut(string(full), "|")
	row := find(table, []byte(name))
	if row == nil || !sub {
		return row
	}
	return find(row.index, []byte(rest))
}

func commandInfo(x *call) {
	if len(x.args) == 2 {
		x.describeAll(sortedTable())
		return
	}
	x.w.Array(len(x.args) - 2)
	for _, name := range x.args[2:] {
		if row := named(name); row != nil {
			x.describe(row)
		} else {
			x.w.Null()
		}
	}
}

func (x *call) describeAll(rows []*command) {
	x.w.Array(len(rows))
	for _, row := range rows {
		x.describe(row)
	}
}

// describe writes a row as COMMAND INFO has it since Redis 7.
func (x *call) describe(row *command) {
	w := x.w
	w.Array(10)
	w.BulkString(row.full)
	w.Int(int64(row.arity))
	w.SimpleStrings(row.flags.names())
	w.Int(int64(row.keys.first))
	w.Int(int64(row.keys.last))
	w.Int(int64(row.keys.step))
	categories := row.categories()
	for i := range categories {
		categories[i] = "@" + categories[i]
	}
	w.SimpleStrings(categories)
	w.Set(0) // tips for clients of clusters
	x.describeKeys(row.keys)
	if len(row.subcommands) == 0 {
		w.Set(0)
		return
	}
	w.Array(len(row.subcommands))
	for _, sub := range row.subcommands {
		x.describe(sub)
	}
}

// describeKeys writes the key specifications.
func (x *call) describeKeys(keys keySpec) {
	parts := keys.parts()
	x.w.Set(len(parts))
	for _, part := range parts {
		x.describeKeyPart(part)
	}
}

func (x *call) describeKeyPart(keys keySpec) {
	w := x.w
	last := keys.last
	if last > 0 {
		last -= keys.first
	}
	w.Map(3)
	w.BulkString("flags")
	w.SimpleStrings(strings.Fields(keys.access))
	if keys.first == 0 && keys.count == 0 {
		w.unknownPlace("begin_search")
		w.unknownPlace("find_keys")
		return
	}
	w.BulkString("begin_search")
	w.Map(2)
	w.BulkString("type")
	w.BulkString("index")
	w.BulkString("spec")
	w.Map(1)
	w.BulkString("index")
	w.Int(int64(max(keys.first, keys.count)))
	w.BulkString("find_keys")
	w.Map(2)
	w.BulkString("type")
	if keys.count > 0 {
		w.BulkString("keynum")
		w.BulkString("spec")
		w.Map(3)
		w.BulkString("keynumidx")
		w.Int(0)
		w.BulkString("firstkey")
		w.Int(1)
		w.BulkString("keystep")
		w.Int(1)
		return
	}
	w.BulkString("range")
	w.BulkString("spec")
	w.Map(3)
	w.BulkString("lastkey")
	w.Int(int64(last))
	w.BulkString("keystep")
	w.Int(int64(keys.step))
	w.BulkString("limit")
	w.Int(0)
}

// unknownPlace says in a key specification that the arguments do not tell.
func (w *Writer) unknownPlace(step string) {
	w.BulkString(step)
	w.Map(2)
	w.BulkString("type")
	w.BulkString("unknown")
	w.BulkString("spec")
	w.Map(0)
}

func commandDocs(x *call) {
	rows := sortedTable()
	if len(x.args) > 2 {
		rows = rows[:0]
		for _, name := range x.args[2:] {
			if row := named(name); row != nil {
				rows = append(rows, row)
			}
		}
	}
	x.documentAll(rows)
}

func (x *call) documentAll(rows []*command) {
	x.w.Map(len(rows))
	for _, row := range rows {
		x.w.BulkString(row.full)
		x.document(row)
	}
}

func (x *call) document(row *command) {
	fields := [][2]string{
		{"summary", row.summary}, {"since", row.since}, {"group", row.group}, {"complexity", row.complexity},
	}
	more := 0
	if len(row.subcommands) > 0 {
		more = 1
	}
	x.w.Map(len(fields) + more)
	for _, f := range fields {
		x.w.BulkString(f[0])
		x.w.BulkString(f[1])
	}
	if more > 0 {
		x.w.BulkString("subcommands")
		x.documentAll(row.subcommands)
	}
}

func commandList(x *call) {
	keep := func(*command) bool { return true }
	switch {
	case len(x.args) == 2:
	case len(x.args) != 5 || !x.option(2, "FILTERBY"):
		x.syntaxError()
		return
	case x.option(3, "PATTERN"):
		pattern := topic.Compile(strings.ToLower(string(x.args[4])))
		keep = func(row *command) bool { return pattern.MatchString(row.full) }
	case x.option(3, "ACLCAT"):
		category := strings.ToLower(string(x.args[4]))
		keep = func(row *command) bool { return slices.Contains(row.categories(), category) }
	case x.option(3, "MODULE"):
		keep = func(*command) bool { return false }
	default:
		x.syntaxError()
		return
	}
	// Subcommands are listed only where there is a filter, as in Redis.
	var names []string
	for _, row := range sortedTable() {
		if keep(row) {
			names = append(names, row.full)
		}
		for _, sub := range row.subcommands {
			if len(x.args) > 2 && keep(sub) {
				names = append(names, sub.full)
			}
		}
	}
	x.w.Strings(names)
}
