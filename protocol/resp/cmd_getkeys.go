package resp

import "strings"

func commandGetKeys(x *call) {
	keys, _, text := keysOf(x.args[2:])
	if text != "" {
		x.w.Error(text)
		return
	}
	x.w.Array(len(keys))
	for _, key := range keys {
		x.w.Bulk(key)
	}
}

func commandGetKeysAndFlags(x *call) {
	keys, access, text := keysOf(x.args[2:])
	if text != "" {
		x.w.Error(text)
		return
	}
	x.w.Array(len(keys))
	for i, key := range keys {
		x.w.Array(2)
		x.w.Bulk(key)
		x.w.SimpleStrings(strings.Fields(access(i)))
	}
}

// keysOf returns the keys of a whole command and what it does to them, or the
// text of an error.
func keysOf(args [][]byte) (keys [][]byte, access func(i int) string, text string) {
	_, cmd := lookup(args)
	switch {
	case cmd == nil || cmd.run == nil:
		return nil, nil, "ERR Invalid command specified"
	case !cmd.hasKeys():
		return nil, nil, "ERR The command has no key arguments"
	case !cmd.acceptsArgs(len(args)):
		return nil, nil, "ERR Invalid number of arguments specified for command"
	}
	keys = cmd.keys.of(nil, args)
	return keys, func(i int) string { return keyAccess(cmd, args, i) }, ""
}

func (m *command) hasKeys() bool { return m.keys.some() }

// keyAccess returns the flags of a call's i-th key. SET with GET reads the key
// that it writes.
func keyAccess(cmd *command, args [][]byte, i int) string {
	switch {
	case cmd.full == "set":
	case i > 0 && cmd.keys.others != "":
		return cmd.keys.others
	default:
		return cmd.keys.access
	}
	for _, arg := range args[3:] {
		if equalFold(arg, "GET") {
			return "RW access update"
		}
	}
	return "OW update"
}
