package resp

import (
	"iter"
	"slices"

	"fanfare/kv"
)

func init() {
	register(
		&command{
			name: "sort", arity: -2, flags: flagWrite | flagDenyOOM,
			keys: keySpec{first: 1, last: 1, step: 1, access: "RO access", others: "OW update",
				unknown: []string{"RO access", "OW update"}, more: sortStoreKey},
			whole: sortsByKeys,
			acl:   "set sortedset list dangerous", group: "generic", since: "1.0.0",
			complexity: "O(N log N) for N elements, and a look-up for each element and each pattern",
			summary:    "Returns or stores the elements of a list, set or sorted set in order.",
			run:        func(x *call) { sort(x, false) },
		},
		&command{
			name: "sort_ro", arity: -2, flags: flagReadonly,
			keys: keySpec{first: 1, last: 1, step: 1, access: "RO access",
				unknown: []string{"RO access"}},
			whole: sortsByKeys,
			acl:   "set sortedset list dangerous", group: "generic", since: "7.0.0",
			complexity: "O(N log N) for N elements, and a look-up for each element and each pattern",
			summary:    "Returns the elements of a list, set or sorted set in order.",
			run:        func(x *call) { sort(x, true) },
		},
	)
}

// sortWord is an option of SORT, and how many arguments belong to it.
type sortWord struct {
	name string
	more int
}

var sortWords = []sortWord{{"ASC", 0}, {"DESC", 0}, {"ALPHA", 0}, {"LIMIT", 2}, {"STORE", 1}, {"BY", 1}, {"GET", 1}}

// eachSortWord visits the options of SORT with the position of each, and says whether
// all arguments are some. What decides on locks and what sorts read them alike.
func eachSortWord(args [][]byte, visit func(name string, i int)) bool {
	for i := 2; i < len(args); i++ {
		word := findSortWord(args, i)
		if word == nil {
			return false
		}
		visit(word.name, i)
		i += word.more
	}
	return true
}

func findSortWord(args [][]byte, i int) *sortWord {
	for j := range sortWords {
		if word := &sortWords[j]; equalFold(args[i], word.name) && i+word.more < len(args) {
			return word
		}
	}
	return nil
}

// sortStoreKey returns the key that SORT stores under.
func sortStoreKey(args [][]byte) (keys [][]byte) {
	eachSortWord(args, func(name string, i int) {
		if name == "STORE" {
			keys = [][]byte{args[i+1]} // the last one counts
		}
	})
	return keys
}

// sortsByKeys says whether SORT reads keys whose names are made of the elements: it
// is not known before which.
func sortsByKeys(args [][]byte) (whole bool) {
	eachSortWord(args, func(name string, i int) {
		if name == "BY" || name == "GET" {
			pattern := newSortPattern(args[i+1])
			whole = whole || pattern.looksUp()
		}
	})
	return whole
}

// sortOptions is what SORT asks for.
type sortOptions struct {
	desc, alpha  bool
	unordered    bool // BY a constant: the elements come as they are
	by           *sortPattern
	gets         []sortPattern
	start, count int64
	store        []byte // nil: the elements are the reply
}

// readSort reads the options. When ok is false it has replied with an error.
func readSort(x *call, readonly bool) (o sortOptions, ok bool) {
	o.count = -1
	failure := ""
	syntax := eachSortWord(x.args, func(name string, i int) {
		if failure == "" {
			failure = o.take(x.args, name, i, readonly)
		}
	})
	switch {
	case failure != "":
		x.w.Error(failure)
	case !syntax:
		x.syntaxError()
	default:
		return o, true
	}
	return o, false
}

// take reads one option. It returns the text of an error.
func (o *sortOptions) take(args [][]byte, name string, i int, readonly bool) string {
	switch name {
	case "ASC", "DESC":
		o.desc = name == "DESC"
	case "ALPHA":
		o.alpha = true
	case "LIMIT":
		var errStart, errCount error
		o.start, errStart = kv.ParseInt(args[i+1])
		o.count, errCount = kv.ParseInt(args[i+2])
		if errStart != nil || errCount != nil {
			return textNotInteger
		}
	case "STORE":
		if readonly {
			return textSyntax
		}
		o.store = args[i+1]
	case "BY":
		pattern := newSortPattern(args[i+1])
		o.by = &pattern
		o.unordered = o.unordered || pattern.star < 0
	case "GET":
		o.gets = append(o.gets, newSortPattern(args[i+1]))
	}
	return ""
}

// bounds returns which of n elements are wanted.
func (o *sortOptions) bounds(n int) (from, count int) {
	all := int64(n)
	start := min(max(o.start, 0), all)
	wanted := all - start
	if o.count >= 0 {
		wanted = min(o.count, wanted)
	}
	return int(start), int(wanted)
}

// sort answers SORT key [BY pattern] [LIMIT offset count] [GET pattern …] [ASC | DESC]
// [ALPHA] [STORE key], and SORT_RO, which has no STORE.
func sort(x *call, readonly bool) {
	o, ok := readSort(x, readonly)
	if !ok {
		return
	}
	s, err := x.tx.Sortable(x.db, x.args[1])
	if err != nil {
		x.fail(err)
		return
	}
	if o.unordered && s.Type == kv.TypeSet && o.store != nil { // what is stored must not depend on the set's form
		o.unordered, o.alpha, o.by = false, true, nil
	}
	from, count := o.bounds(s.Len)
	var elements [][]byte
	if o.unordered {
		elements = s.Elements(nil, o.desc && s.Type != kv.TypeSet, from, count)
	} else {
		elements, ok = o.order(x, s.Elements(make([][]byte, 0, s.Len), false, 0, s.Len))
		if !ok {
			x.w.Error("ERR One or more scores can't be converted into double")
			return
		}
		elements = elements[from : from+count]
	}
	if o.store != nil {
		x.storeSorted(&o, elements)
		return
	}
	x.replySorted(&o, elements)
}

// replySorted writes the elements, or for each what the patterns get.
func (x *call) replySorted(o *sortOptions, elements [][]byte) {
	if len(o.gets) == 0 {
		x.w.Array(len(elements))
		for _, element := range elements {
			x.w.Bulk(element)
		}
		return
	}
	x.w.Array(len(elements) * len(o.gets))
	for _, element := range elements {
		for i := range o.gets {
			if x.conn.replyTooLarge() {
				return
			}
			if value, ok := o.gets[i].get(x, element); ok {
				x.w.Bulk(value)
			} else {
				x.w.Null()
			}
		}
	}
}

func (x *call) storeSorted(o *sortOptions, elements [][]byte) {
	n, err := x.tx.StoreSorted(x.db, o.store, o.values(x, elements))
	if err != nil {
		x.fail(err)
		return
	}
	x.w.Int(int64(n))
}

// values are what is stored: the elements, or for each what the patterns get, one after the
// other because they may be many. What a pattern does not find is an empty element.
func (o *sortOptions) values(x *call, elements [][]byte) iter.Seq[[]byte] {
	if len(o.gets) == 0 {
		return slices.Values(elements)
	}
	return func(yield func([]byte) bool) {
		for _, element := range elements {
			for i := range o.gets {
				if value, _ := o.gets[i].get(x, element); !yield(value) {
					return
				}
			}
		}
	}
}
