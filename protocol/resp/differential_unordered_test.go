package resp_test

import (
	"slices"
	"strings"

	"fanfare/internal/conversation"
)

// unordered are the commands whose elements come in no promised order: how many values make up one.
var unordered = map[string]int{
	"HGETALL": 2, "HKEYS": 1, "HVALS": 1, "HRANDFIELD": 1, "HSCAN": 2,
	"SMEMBERS": 1, "SINTER": 1, "SUNION": 1, "SDIFF": 1, "SPOP": 1, "SRANDMEMBER": 1, "SSCAN": 1,
}

// sorted puts the elements of a reply in order, if the order in which they came is not promised.
func sorted(command []string, v conversation.Value) conversation.Value {
	name := strings.ToUpper(command[0])
	size := unordered[name]
	switch {
	case size == 0 || len(v.Elems) == 0:
	case strings.HasSuffix(name, "SCAN") && len(v.Elems) == 2: // behind the cursor
		v.Elems = []conversation.Value{v.Elems[0], inGroups(v.Elems[1], size)}
	case name == "HRANDFIELD" && len(command) > 3 && strings.EqualFold(command[3], "WITHVALUES") && v.Elems[0].Kind == '$': // with values, one after the other
		v = inGroups(v, 2)
	default:
		v = inGroups(v, size)
	}
	return v
}

// inGroups sorts elements of several values each.
func inGroups(v conversation.Value, size int) conversation.Value {
	groups := slices.Collect(slices.Chunk(v.Elems, size))
	groups = slices.Clone(groups)
	slices.SortFunc(groups, func(a, b []conversation.Value) int { return strings.Compare(a[0].String(), b[0].String()) })
	v.Elems = slices.Concat(groups...)
	return v
}
