package resp

import "fanfare/kv"

func init() {
	register(
		&command{
			name: "append", arity: 3, flags: flagWrite | flagDenyOOM | flagFast, keys: oneKey("RW insert"),
			acl: "string", group: "string", since: "2.0.0", complexity: "O(N) for N bytes appended, amortised",
			summary: "Puts bytes behind the string a key holds and returns its length.",
			run:     appendTo,
		},
		&command{
			name: "strlen", arity: 2, flags: flagReadonly | flagFast, keys: oneKey("RO"),
			acl: "string", group: "string", since: "2.2.0", complexity: "O(1)",
			summary: "Returns the length of the string a key holds, in bytes.",
			run:     strlen,
		},
		&command{
			name: "getrange", arity: 4, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "string", group: "string", since: "2.4.0", complexity: "O(N) for N bytes returned",
			summary: "Returns a part of the string a key holds.",
			run:     getRange,
		},
		&command{
			name: "substr", arity: 4, flags: flagReadonly, keys: oneKey("RO access"),
			acl: "string", group: "string", since: "1.0.0", complexity: "O(N) for N bytes returned",
			summary: "Returns a part of the string a key holds; the old name of GETRANGE.",
			run:     getRange,
		},
		&command{
			name: "setrange", arity: 4, flags: flagWrite | flagDenyOOM, keys: oneKey("RW update"),
			acl: "string", group: "string", since: "2.2.0", complexity: "O(N) for a string of N bytes",
			summary: "Writes over a part of the string a key holds and returns its length.",
			run:     setRange,
		},
	)
}

func appendTo(x *call) {
	n, err := x.tx.Append(x.db, x.args[1], x.args[2])
	x.length(n, err)
}

func strlen(x *call) {
	value, _, err := x.tx.Get(x.db, x.args[1])
	x.length(len(value), err)
}

func setRange(x *call) {
	offset, err := kv.ParseInt(x.args[2])
	switch {
	case err != nil:
		x.fail(err)
	case offset < 0:
		x.w.Error("ERR offset is out of range")
	default:
		n, err := x.tx.SetRange(x.db, x.args[1], offset, x.args[3])
		x.length(n, err)
	}
}

// length replies with a length or an error.
func (x *call) length(n int, err error) {
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(int64(n))
}

// getRange replies with the bytes from start to end, both included; negative
// ones count from the string's end.
func getRange(x *call) {
	start, errStart := kv.ParseInt(x.args[2])
	end, errEnd := kv.ParseInt(x.args[3])
	if errStart != nil || errEnd != nil {
		x.w.Error(textNotInteger)
		return
	}
	value, _, err := x.tx.Get(x.db, x.args[1])
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Bulk(part(value, start, end))
}

// part cuts as Redis does: what is before the beginning counts as the
// beginning, except that two negative positions in the wrong order yield nothing.
func part(value []byte, start, end int64) []byte {
	if start < 0 && end < 0 && start > end {
		return nil
	}
	n := int64(len(value))
	if start < 0 {
		start = max(0, start+n)
	}
	if end < 0 {
		end = max(0, end+n)
	}
	end = min(end, n-1)
	if start > end {
		return nil
	}
	return value[start : end+1]
}
